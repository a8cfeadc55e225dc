INSERT INTO meta.marts (name, definition) VALUES ($name, $definition)
