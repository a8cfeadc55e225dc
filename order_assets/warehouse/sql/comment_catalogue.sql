COMMENT ON TABLE meta.keys IS {comment}
