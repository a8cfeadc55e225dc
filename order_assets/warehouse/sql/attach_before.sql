ATTACH {path} AS before (READ_ONLY)
