"""Join members' predictions; choose members; evaluate many ensembles fast."""
