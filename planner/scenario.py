"""TOML -> Scenario. An unknown key is refused with the nearest spelling; contradictions are said before solving."""
