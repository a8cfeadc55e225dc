from order_assets.core.check_result import CheckResult, Severity


def test_a_failed_check_says_what_is_wrong_where_and_what_to_do_next() -> None:
    keys = ("pk 7 in order 1 (number A1)", "pk 8 in order 2 (number A2)")
    found = CheckResult("orders", "key_unique", False, "4 rows, 2 keys", examples=keys, next_step="Look there")
    assert str(found) == f"4 rows, 2 keys; for example {keys[0]}; {keys[1]}. Look there"
    assert found.is_error


def test_a_passed_check_gives_no_advice() -> None:
    found = CheckResult("orders", "values", True, "all known", severity=Severity.WARN, next_step="Look there")
    assert str(found) == "all known"
    assert not found.is_error
