"""HealthDCAT-AP record and RO-Crate."""
