"""Mechanisms: stem cells, inflammation and dose, trials and cohorts, in closed form wherever there is one."""
