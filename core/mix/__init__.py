"""The rule-based engineer that proposes a mix plan."""
