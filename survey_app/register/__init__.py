"""The register of places: districts, communities, property companies, households and outlines.

Others call `communities_file.read_communities`, `community_imports.import_communities`,
`community_imports.stored_communities`, `list_jobs.LIST_JOBS`, `kept_lists.erase_expired_lists`,
`boundaries.parse_boundaries`, `households.surveyed_households` and `names.bureau_of`. Knows nothing of rounds, codes,
answers or complaints.
"""
