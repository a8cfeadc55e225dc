DESCRIBE
{select}
