"""Files that staff take away: responses, standings, the counts that were evaluated.

Others call `responses.export_responses`, `standings.export_standings` and `community_table.export_community_table`;
its pages stream them. Knows how rows become files, and nothing that recomputes them.
"""
