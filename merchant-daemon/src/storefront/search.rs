//! Search among the articles: by the beginnings of words, all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::display::Article;

/// How many characters of a question are looked at.
pub const QUESTION: usize = 100;
/// How many words of it.
const WORDS: usize = 8;

/// The words of all articles, and where each stands.
#[derive(Clone, Debug, Default)]
pub struct Index {
    words: BTreeMap<String, BTreeSet<u32>>,
    skus: Vec<String>,
}

impl Index {
    /// The index of these articles.
    pub fn of<'a>(articles: impl IntoIterator<Item = &'a Article>) -> Self {
        let mut index = Self::default();
        for article in articles {
            let at = u32::try_from(index.skus.len()).unwrap_or(u32::MAX);
            let Article { sku, topic, title, authors, keywords, summary, .. } = article;
            let texts = [sku, topic, title, summary].into_iter().chain(authors).chain(keywords);
            for word in texts.flat_map(|text| words(text)) {
                index.words.entry(word).or_default().insert(at);
            }
            index.skus.push(article.sku.clone());
        }
        index
    }

    /// The numbers of the articles that have for each word of `question` one that begins with it, in their order.
    /// Without a word there is nothing to be found.
    pub fn find(&self, question: &str) -> Vec<&str> {
        let question: String = question.chars().take(QUESTION).collect();
        let mut found: Option<BTreeSet<u32>> = None;
        for word in words(&question).take(WORDS) {
            let with = self.beginning_with(&word);
            found = Some(match found {
                None => with,
                Some(before) => before.intersection(&with).copied().collect(),
            });
        }
        let found = found.unwrap_or_default().into_iter();
        found
            .filter_map(|at| usize::try_from(at).ok().and_then(|at| self.skus.get(at)))
            .map(String::as_str)
            .collect()
    }

    fn beginning_with(&self, start: &str) -> BTreeSet<u32> {
        let from = (Bound::Included(start), Bound::Unbounded);
        let words = self.words.range::<str, _>(from).take_while(|(word, _)| word.starts_with(start));
        words.flat_map(|(_, at)| at).copied().collect()
    }
}

/// The words of a text in small letters; what is no letter and no digit stands between them.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Demo;

    fn index() -> Index {
        Index::of(&Demo::fogra().unwrap().display.articles)
    }

    #[test]
    fn an_article_is_found_by_number_author_and_beginnings_of_words() {
        let index = index();
        assert_eq!(index.find("a-1207"), ["A-1207"]);
        assert_eq!(index.find("BLISTER web"), ["A-1207"]);
        assert!(index.find("castellani").contains(&"A-1207"));
        assert!(index.find("paper moist").len() > 20);
        assert!(index.find("AUMÜLLER blist").contains(&"A-1207"));
    }

    #[test]
    fn nothing_is_found_by_nothing_and_by_what_is_not_there() {
        let index = index();
        for question in ["", " ", "--", "zzz", "a-1207 zzz", "<script>alert(1)</script>"] {
            assert_eq!(index.find(question), [""; 0], "{question}");
        }
        let long = "paper ".repeat(10_000);
        assert_eq!(index.find(&long), index.find("paper"));
    }
}
