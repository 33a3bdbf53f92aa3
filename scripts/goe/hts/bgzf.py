"""What every reader and writer of BGZF files needs to know of them."""

# SAM specification, section 4.1.2: the empty block that ends a BGZF file.
EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
