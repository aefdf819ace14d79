//! What a shop is asked about its goods before any deal, and what it answers.
//!
//! Questions and answers are frames of kind [`Kind::Directory`]; the stream is the number the asker gives the
//! question. The sealed form of an article comes in frames of kind [`Kind::Chunk`] on the stream of the
//! question that asked for it, after [`Answer::Coming`], from any offset, so that a download that was cut
//! goes on where it stopped. It is of no use without its key: anybody may have it.
//!
//! The terms of business that a shop offers come in parts, each the answer to a question of its own.
//!
//! Nothing here is signed and nothing binds: an offer does, and what is signed within the file of a service. What is
//! downloaded is compared with the offer.

use semper_supporting::{
    comm::{
        fault::FrameError,
        frame::{Frame, Kind},
    },
    crypto::{digest::Digest, seal::content::sealed_length},
    identifier,
    money::Money,
    tinguin::text::{Quote, Quoted, TextRefused, Untrusted},
    wire::{self, WireError},
};
use serde::{Deserialize, Serialize};

identifier! {
    /// An article of one shop. Later ones have greater identifiers.
    ArticleId, 8
}

/// The longest question in bytes.
pub const QUESTION: usize = 256;
/// The most articles in one answer.
pub const PAGE: usize = 64;
/// The longest media type in bytes.
pub const MEDIA: usize = 127;

/// The most services that a shop lists.
pub const SERVICES: usize = 64;
/// The longest part of a file of terms in one answer, in bytes.
pub const PART: usize = 96 << 10;
/// The longest id or version of a service in bytes.
const NAME: usize = 128;

/// Terms of business as a shop lists them; what they are stands in the file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Offered {
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// SHA-256 by which the package is named.
    pub package: Digest,
    /// SHA-256 of the file with its signatures, by which it is fetched.
    pub file: Digest,
    /// The length of that file in bytes.
    pub length: u64,
}

/// An article as a shop lists it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Article {
    /// Its name in this shop.
    pub id: ArticleId,
    /// What the shop calls it.
    pub title: Untrusted,
    /// Its media type.
    pub media: String,
    /// Its length in bytes before sealing.
    pub length: u64,
    /// SHA-256 of its content.
    pub plain: Digest,
    /// SHA-256 of its sealed form.
    pub sealed: Digest,
    /// The commitment to the key it is sealed under.
    pub key: Digest,
    /// What it costs.
    pub price: Money,
}

/// What a shop is asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Question {
    /// Which articles are there, after this one?
    Articles {
        /// The last one seen; none at the beginning.
        after: Option<ArticleId>,
    },
    /// What is this article?
    Article {
        /// Which.
        id: ArticleId,
    },
    /// The sealed form of an article, please.
    Sealed {
        /// SHA-256 of the sealed form.
        sealed: Digest,
        /// How many of its bytes are there already.
        from: u64,
    },
    /// Under which terms is business done here?
    Services,
    /// A part of the file of a service, please.
    ServicePart {
        /// SHA-256 of the file.
        file: Digest,
        /// How many of its bytes are there already.
        from: u64,
    },
}

/// What a shop answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// Articles, in the order of their identifiers.
    Articles {
        /// At most [`PAGE`] of them.
        articles: Vec<Article>,
        /// Whether there are more after the last one.
        more: bool,
    },
    /// The article.
    Article(Box<Article>),
    /// The sealed form comes in chunks on the stream of the question.
    Coming {
        /// The offset of the first byte that comes.
        from: u64,
        /// How many bytes the whole sealed form has.
        length: u64,
    },
    /// It is not given.
    Refused(Refusal),
    /// Services, of each the newest version, in the order of their ids; at most [`SERVICES`].
    Services(Vec<Offered>),
    /// A part of a file: at least one byte, at most [`PART`].
    ServicePart(Vec<u8>),
}

/// Why a shop does not give what was asked for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
pub enum Refusal {
    /// There is no such article.
    #[error("there is no such article")]
    Unknown,
    /// There is nothing from that offset on.
    #[error("there is nothing from that place on")]
    Offset,
    /// As many downloads as one connection may have are under way, or one with this number.
    #[error("too many downloads are under way")]
    Busy,
    /// The shop cannot read its own goods.
    #[error("the shop has a fault and cannot send it")]
    Unavailable,
}

impl Refusal {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "shop.unknown",
            Self::Offset => "shop.offset",
            Self::Busy => "shop.busy",
            Self::Unavailable => "shop.unavailable",
        }
    }
}

/// Why what a shop says of an article is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadArticle {
    /// Its title cannot be shown.
    #[error("the title: {0}")]
    Title(#[from] TextRefused),
    /// Its media type is none.
    #[error("this is no media type, as application/pdf is one")]
    Media,
    /// It costs or holds nothing.
    #[error("an article that costs nothing or holds nothing is not sold")]
    Nothing,
}

impl BadArticle {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Title(refused) => refused.code(),
            Self::Media => "shop.media",
            Self::Nothing => "shop.nothing",
        }
    }
}

impl Article {
    /// Checks what a shop says of an article, and gives its title as a quotation.
    ///
    /// # Errors
    /// [`BadArticle`].
    pub fn check(&self) -> Result<Quoted, BadArticle> {
        let title = self.title.quote(Quote::Item)?;
        if !is_media(&self.media) {
            return Err(BadArticle::Media);
        }
        if self.length == 0 || self.price.is_zero() { Err(BadArticle::Nothing) } else { Ok(title) }
    }

    /// How many bytes its sealed form has.
    pub fn sealed_length(&self) -> u64 {
        sealed_length(self.length)
    }
}

/// Whether `text` is a media type without parameters (RFC 6838, 4.2).
pub fn is_media(text: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= MEDIA && text.split_once('/').is_some_and(|(kind, rest)| name(kind) && name(rest))
}

impl Question {
    /// The frame that asks it.
    ///
    /// # Errors
    /// [`FrameError`] for what does not fit into a frame.
    pub fn frame(&self, number: u32) -> Result<Frame, FrameError> {
        framed(wire::encode(self, QUESTION), number)
    }

    /// What a frame asks.
    ///
    /// # Errors
    /// [`WireError`] for anything but a question.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        wire::decode(payload, QUESTION)
    }
}

impl Answer {
    /// The frame that answers question `number`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] for more than fits into a frame.
    pub fn frame(&self, number: u32) -> Result<Frame, FrameError> {
        framed(wire::encode(self, Kind::Directory.limit()), number)
    }

    /// What a frame answers.
    ///
    /// # Errors
    /// [`WireError`] for anything but an answer, or more articles, services or bytes than one answer has.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        let answer = wire::decode(payload, Kind::Directory.limit())?;
        match &answer {
            Self::Articles { articles, .. }
                if articles.len() > PAGE || !articles.is_sorted_by(|one, next| one.id < next.id) =>
            {
                Err(WireError::NotCanonical)
            }
            Self::Services(all)
                if all.len() > SERVICES
                    || !all.is_sorted_by(|one, next| one.service < next.service)
                    || all.iter().any(|one| one.service.len() > NAME || one.version.len() > NAME) =>
            {
                Err(WireError::NotCanonical)
            }
            Self::ServicePart(bytes) if bytes.is_empty() || bytes.len() > PART => {
                Err(WireError::NotCanonical)
            }
            _ => Ok(answer),
        }
    }
}

fn framed(payload: Result<Vec<u8>, WireError>, number: u32) -> Result<Frame, FrameError> {
    Frame::new(Kind::Directory, number, payload?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(id: u8, title: &str) -> Article {
        Article {
            id: ArticleId::from_bytes([id; 8]),
            title: Untrusted::new(title),
            media: "application/pdf".into(),
            length: 48_213,
            plain: Digest::of(b"plain"),
            sealed: Digest::of(b"sealed"),
            key: Digest::of(b"key"),
            price: Money::parse("XTS 6.00").unwrap(),
        }
    }

    fn offered(service: &str) -> Offered {
        Offered {
            service: service.into(),
            version: "1.0.0".into(),
            package: Digest::of(b"package"),
            file: Digest::of(b"file"),
            length: 5,
        }
    }

    #[test]
    fn more_services_or_bytes_than_one_answer_has_are_refused_and_so_is_disorder() {
        let refused = |answer: Answer| {
            let payload = wire::encode(&answer, Kind::Directory.limit()).unwrap();
            assert_eq!(Answer::read(&payload), Err(WireError::NotCanonical));
        };
        refused(Answer::ServicePart(Vec::new()));
        refused(Answer::ServicePart(vec![7; PART + 1]));
        refused(Answer::Services(vec![offered("b"), offered("a")]));
        refused(Answer::Services(vec![offered("a"), offered("a")]));
        refused(Answer::Services(vec![offered(&"a".repeat(NAME + 1))]));
        let many = (0..=SERVICES).map(|n| offered(&format!("{n:03}"))).collect::<Vec<_>>();
        assert!(Answer::Services(many[1..].to_vec()).frame(0).is_ok());
        refused(Answer::Services(many));
    }

    #[test]
    fn questions_and_answers_are_read_as_they_were_written() {
        for question in [
            Question::Articles { after: None },
            Question::Article { id: ArticleId::from_bytes([3; 8]) },
            Question::Sealed { sealed: Digest::of(b"sealed"), from: u64::MAX },
            Question::Services,
            Question::ServicePart { file: Digest::of(b"file"), from: 7 },
        ] {
            let frame = question.frame(7).unwrap();
            assert_eq!((frame.kind, frame.stream), (Kind::Directory, 7));
            assert_eq!(Question::read(&frame.payload), Ok(question));
        }
        for answer in [
            Answer::Articles { articles: vec![article(1, "One"), article(2, "Two")], more: true },
            Answer::Article(Box::new(article(1, "One"))),
            Answer::Coming { from: 5, length: 9 },
            Answer::Refused(Refusal::Busy),
            Answer::Services(vec![offered("a"), offered("b")]),
            Answer::ServicePart(vec![7; PART]),
        ] {
            assert_eq!(Answer::read(&answer.frame(0).unwrap().payload), Ok(answer));
        }
    }

    #[test]
    fn the_longest_page_fits_into_a_frame_and_a_longer_or_disordered_one_is_refused() {
        let worst = "\u{1e69}\u{302}\u{302}".repeat(80);
        let page = |count: u8| Answer::Articles {
            articles: (0..count).map(|id| article(id, &worst)).collect(),
            more: false,
        };
        let full = page(64).frame(0).unwrap();
        assert!(Answer::read(&full.payload).is_ok());
        assert_eq!(Answer::read(&page(65).frame(0).unwrap().payload), Err(WireError::NotCanonical));
        let twice = Answer::Articles { articles: vec![article(1, "One"), article(1, "One")], more: false };
        assert_eq!(Answer::read(&twice.frame(0).unwrap().payload), Err(WireError::NotCanonical));
    }

    #[test]
    fn what_a_shop_says_of_an_article_is_checked_before_it_is_shown() {
        assert!(article(1, "Colour management, an introduction").check().is_ok());
        let hidden = article(1, "Free\u{202e}eerF").check();
        assert!(matches!(hidden, Err(BadArticle::Title(TextRefused::Character { character: '\u{202e}' }))));
        let media = |media: &str| Article { media: media.into(), ..article(1, "One") }.check().err();
        assert_eq!(media("application/vnd.oasis.opendocument.text"), None);
        for text in ["", "pdf", "a/b/c", "a/", "/b", "text/plain; charset=utf-8", "a /b", &"a/".repeat(100)] {
            assert_eq!(media(text), Some(BadArticle::Media), "{text}");
        }
        assert_eq!(Article { length: 0, ..article(1, "One") }.check().err(), Some(BadArticle::Nothing));
        let free = Article { price: Money::parse("XTS 0.00").unwrap(), ..article(1, "One") };
        assert_eq!(free.check().err(), Some(BadArticle::Nothing));
    }
}
