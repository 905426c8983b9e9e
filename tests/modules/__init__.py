"""The HCL modules: `terraform test`, and their templates against AWS's own schemas."""
