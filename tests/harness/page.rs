//! Tables of pages under `docs/`: what a page says in numbers, tests and measurements read there.

use crate::failure::{Failure, Result};

/// The rows below the head of the first table under `heading`, as their cells in order. Figures and names
/// stand there without markup.
///
/// # Errors
/// [`Failure`] if the page has no such heading, or no table under it.
pub fn table(page: &str, heading: &str) -> Result<Vec<Vec<String>>> {
    let mut lines = page.lines().skip_while(|line| *line != heading).skip(1);
    let under = lines.by_ref().take_while(|line| !line.starts_with('#'));
    let rows: Vec<Vec<String>> = under
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect();
    if rows.is_empty() { Err(Failure::of("no table on the page under", heading)) } else { Ok(rows) }
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# P\n\n## A\n\nwords\n\n| x | n |\n|---|---|\n| one | 1 |\n| two |  |\n\n| y |\n|---|\n| z |\n\n## B\n";

    #[test]
    fn a_table_is_that_under_its_heading() {
        assert_eq!(table(PAGE, "## A").unwrap(), [["one", "1"], ["two", ""]]);
        assert!(table(PAGE, "## B").is_err() && table(PAGE, "## C").is_err());
    }
}
