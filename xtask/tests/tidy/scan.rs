//! Reads Rust source just far enough to tell code, comments and literals apart.

/// Source text without its comments, and with each string literal taken out and kept.
pub(crate) struct Scan {
    /// The code; a `"` stands where a string literal was.
    code: Vec<char>,
    /// The literals in their order, each with its place in `code`.
    literals: Vec<(usize, String)>,
    /// The line, counted from 1, of each character of `code`.
    lines: Vec<usize>,
}

/// What stands at the beginning of the rest of a file, and how long it is.
enum Piece {
    Skipped(usize),
    Literal(usize, String),
    Code(char),
}

impl Scan {
    /// Reads a whole file.
    pub(crate) fn of(source: &str) -> Self {
        let characters: Vec<char> = source.chars().collect();
        let mut scan = Self { code: Vec::new(), literals: Vec::new(), lines: Vec::new() };
        let (mut at, mut line) = (0, 1);
        while let Some(piece) = characters.get(at..).and_then(|rest| piece(rest, scan.code.last())) {
            let length = match piece {
                Piece::Skipped(length) => length,
                Piece::Literal(length, literal) => {
                    scan.literals.push((scan.code.len(), literal));
                    scan.put('"', line);
                    length
                }
                Piece::Code(character) => {
                    scan.put(character, line);
                    1
                }
            };
            line += characters.iter().skip(at).take(length).filter(|character| **character == '\n').count();
            at += length;
        }
        scan
    }

    /// The part before the tests, which stand last in every file.
    pub(crate) fn before_tests(mut self) -> Self {
        if let Some(end) = self.places("#[cfg(test)]").first().copied() {
            self.code.truncate(end);
            self.lines.truncate(end);
            self.literals.retain(|(place, _)| *place < end);
        }
        self
    }

    /// The code without any white space, for looking up names that may be broken over lines.
    pub(crate) fn dense(&self) -> String {
        self.code.iter().filter(|character| !character.is_whitespace()).collect()
    }

    /// The places at which `needle` begins.
    pub(crate) fn places(&self, needle: &str) -> Vec<usize> {
        let needle: Vec<char> = needle.chars().collect();
        self.code
            .windows(needle.len())
            .enumerate()
            .filter(|(_, window)| *window == needle)
            .map(|(place, _)| place)
            .collect()
    }

    /// All literals, each with its line.
    pub(crate) fn literals(&self) -> impl Iterator<Item = (usize, &str)> {
        self.literals.iter().map(|(place, literal)| (self.line(*place), literal.as_str()))
    }

    /// The literals that stand behind `start` and before the next `end`, each with its line.
    pub(crate) fn within(&self, start: &str, end: &str) -> impl Iterator<Item = (usize, &str)> {
        let ends = self.places(end);
        let parts = self.places(start).into_iter().map(move |place| {
            let end = ends.iter().copied().find(|end| *end > place).unwrap_or(usize::MAX);
            place..end
        });
        let parts: Vec<_> = parts.collect();
        let inside = self.literals.iter().filter(move |(at, _)| parts.iter().any(|part| part.contains(at)));
        inside.map(|(place, literal)| (self.line(*place), literal.as_str()))
    }

    /// The line of a place in the code.
    pub(crate) fn line(&self, place: usize) -> usize {
        self.lines.get(place).copied().unwrap_or_default()
    }

    /// The literals among the arguments that begin at `place`, just behind the opening parenthesis. What a
    /// closure among the arguments does is not looked at.
    pub(crate) fn arguments(&self, place: usize) -> Vec<&str> {
        let mut depth = 1_usize;
        let length = self.code.iter().skip(place).position(|character| {
            match character {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            depth == 0 || (depth == 1 && *character == '|')
        });
        let end = place + length.unwrap_or(self.code.len());
        let inside = self.literals.iter().filter(|(at, _)| (place..end).contains(at));
        inside.map(|(_, literal)| literal.as_str()).collect()
    }

    fn put(&mut self, character: char, line: usize) {
        self.code.push(character);
        self.lines.push(line);
    }
}

fn piece(rest: &[char], before: Option<&char>) -> Option<Piece> {
    let piece = match rest {
        [] => return None,
        ['/', '/', ..] => {
            Piece::Skipped(rest.iter().position(|character| *character == '\n').unwrap_or(rest.len()))
        }
        ['/', '*', ..] => Piece::Skipped(block_comment(rest)),
        ['\'', '\\', _, tail @ ..] => {
            Piece::Skipped(3 + tail.iter().position(|character| *character == '\'').map_or(0, |end| end + 1))
        }
        ['\'', _, '\'', ..] => Piece::Skipped(3),
        ['"', tail @ ..] => quoted(tail),
        ['r', tail @ ..] if !before.is_some_and(|before| before.is_alphanumeric() || *before == '_') => {
            raw(tail).unwrap_or(Piece::Code('r'))
        }
        [character, ..] => Piece::Code(*character),
    };
    Some(piece)
}

/// The length of a block comment, which may contain others.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match rest.get(at..) {
            Some(['/', '*', ..]) => (depth, at) = (depth + 1, at + 2),
            Some(['*', '/', ..]) => (depth, at) = (depth - 1, at + 2),
            Some([_, ..]) => at += 1,
            _ => return rest.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The rest of an ordinary string behind its opening quote.
fn quoted(tail: &[char]) -> Piece {
    let mut literal = String::new();
    let mut characters = tail.iter().enumerate();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Piece::Literal(at + 2, literal),
            '\\' => literal.extend(characters.next().map(|(_, escaped)| *escaped)),
            character => literal.push(*character),
        }
    }
    Piece::Literal(tail.len() + 1, literal)
}

/// The rest of a raw string behind its `r`, if it is one.
fn raw(tail: &[char]) -> Option<Piece> {
    let hashes = tail.iter().take_while(|character| **character == '#').count();
    let body = tail.get(hashes..)?.strip_prefix(&['"'])?;
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = body.windows(close.len()).position(|window| window == close)?;
    Some(Piece::Literal(1 + hashes + 1 + length + close.len(), body.iter().take(length).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_vanish_and_literals_are_kept() {
        let scan = Scan::of(
            "f(\"a \\\" b\", 'x', r#\"raw \"one\"\"#); // f(\"c\")\n/* /* \" */ */ g::<'a>('\\'', \"d\")",
        );
        assert_eq!(scan.dense(), "f(\",,\");g::<'a>(,\")");
        assert_eq!(scan.arguments(2), ["a \" b", "raw \"one\""]);
        let g = scan.places(">(").first().copied().unwrap();
        assert_eq!(scan.arguments(g + 2), ["d"]);
        assert_eq!(scan.line(g), 2);
    }

    #[test]
    fn the_body_of_a_closure_is_not_an_argument() {
        let scan = Scan::of("show(\"a\", |ui| log(\"b\"))");
        assert_eq!(scan.arguments(5), ["a"]);
    }

    #[test]
    fn tests_are_left_out() {
        let scan = Scan::of("f(\"a\"); #[cfg(test)] mod tests { f(\"b\"); }").before_tests();
        assert_eq!(scan.dense(), "f(\");");
        assert_eq!(scan.literals.len(), 1);
    }
}
