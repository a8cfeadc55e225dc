CREATE TABLE {mart} AS
{select}
