//! The README's table of errors is the library's.

use pulse_trust::Error;

#[test]
fn the_table_of_errors_is_complete() {
    let rows: Vec<(u16, String)> = include_str!("../../README.md")
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
            let number = cells.next()?.parse().ok()?;
            let name = cells.next()?.trim_matches('`').to_owned();
            // Meaning, and what to do.
            (cells.filter(|cell| !cell.trim().is_empty()).count() == 2).then_some((number, name))
        })
        .collect();
    let expected: Vec<(u16, String)> = Error::TABLE.iter().map(|entry| (entry.code, entry.name.to_owned())).collect();
    assert_eq!(rows, expected);
}
