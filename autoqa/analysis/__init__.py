"""What a finished search says: selection, leaderboard, private scores, rule tests."""
