"""Measures AnsFlow's workloads on one machine, beside yardsticks of the same run. See docs/performance.md."""
