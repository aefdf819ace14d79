//! The fingerprint of a root as eight words, for people to compare with a letter.
//!
//! Each word stands for one byte, so eight of them are the first 64 bits of the SHA-256 of the root's DER. That
//! is enough against chance and against anybody without the means to try 2⁶⁴ keys; the letter prints the whole
//! digest as well, for those who want to compare all of it.
//!
//! The list is part of the format: its order never changes. The words are English nouns of three to seven
//! letters, no two of which differ in a single letter.

use crate::crypto::digest::Digest;

/// How many words make a fingerprint.
pub const FINGERPRINT_WORDS: usize = 8;

/// The words of the first 64 bits of `digest`.
pub fn fingerprint(digest: &Digest) -> [&'static str; FINGERPRINT_WORDS] {
    let mut words = [""; FINGERPRINT_WORDS];
    for (slot, byte) in words.iter_mut().zip(digest.as_bytes()) {
        *slot = WORDS.get(usize::from(*byte)).copied().unwrap_or_default();
    }
    words
}

/// Whether what somebody typed are the words of `digest`: case and the white space between them do not count.
pub fn is_fingerprint(typed: &str, digest: &Digest) -> bool {
    let typed: Vec<_> = typed.split_whitespace().map(str::to_lowercase).collect();
    typed.iter().map(String::as_str).eq(fingerprint(digest))
}

/// The words, sorted.
#[rustfmt::skip]
const WORDS: [&str; 256] = [
    "acorn", "actor", "adult", "album", "alley", "almond", "amber", "anchor", "angle", "apple", "apron",
    "arcade", "arrow", "artist", "atlas", "attic", "autumn", "award", "badge", "balcony", "ballad",
    "bamboo", "banana", "barrel", "basket", "beacon", "beaver", "bedroom", "bench", "bicycle", "bonnet",
    "bottle", "boulder", "bracket", "branch", "bread", "breeze", "broom", "brother", "bucket", "builder",
    "bullet", "bundle", "butter", "button", "cactus", "camel", "canal", "candle", "cannon", "canvas",
    "captain", "carbon", "carpet", "cellar", "chain", "chalk", "cheese", "cherry", "chimney", "citizen",
    "cliff", "clock", "cloud", "clover", "coffee", "comet", "compass", "copper", "coral", "cotton",
    "cousin", "cradle", "crane", "crayon", "cricket", "crystal", "cushion", "daisy", "dancer", "desert",
    "diamond", "dinner", "doctor", "dragon", "drawer", "drum", "eagle", "engine", "errand", "evening",
    "fabric", "falcon", "farmer", "feather", "fence", "fiddle", "flame", "forest", "fossil", "frost",
    "funnel", "galaxy", "garden", "garlic", "gate", "ghost", "giant", "giraffe", "glacier", "glove",
    "goblet", "goose", "grain", "grape", "guitar", "hammer", "harbour", "harvest", "hazel", "hermit",
    "hockey", "honey", "hornet", "hotel", "iceberg", "indigo", "ink", "insect", "island", "jacket",
    "jaguar", "jewel", "jigsaw", "journal", "judge", "jungle", "kettle", "keyhole", "king", "kitchen",
    "kite", "knight", "lagoon", "laurel", "lentil", "letter", "library", "lilac", "lobster", "magnet",
    "mango", "maple", "marble", "market", "meadow", "melon", "mirror", "mitten", "moon", "mosaic",
    "museum", "napkin", "needle", "nephew", "nickel", "noodle", "nurse", "oasis", "oboe", "ocean",
    "onion", "opera", "orange", "osprey", "otter", "oven", "paddle", "palace", "panther", "paper",
    "parade", "pasture", "pebble", "pelican", "pencil", "penguin", "pepper", "piano", "picnic", "pillow",
    "pirate", "planet", "plum", "poem", "pony", "poppy", "prairie", "prince", "pumpkin", "puppet",
    "puzzle", "pyramid", "quarry", "quartz", "quilt", "rabbit", "radar", "radish", "raft", "rainbow",
    "raven", "ribbon", "rope", "ruby", "saffron", "sailor", "salmon", "sandal", "scarf", "school",
    "scooter", "shadow", "shovel", "sketch", "sleeve", "spider", "sponge", "spoon", "squash", "stable",
    "statue", "storm", "summer", "sunset", "swan", "teapot", "temple", "thimble", "thunder", "timber",
    "tomato", "tower", "tractor", "trumpet", "turtle", "vase", "village", "violin", "volcano", "walnut",
    "walrus", "water", "wheel", "window", "wolf",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_short_and_not_easily_taken_for_one_another() {
        assert!(WORDS.windows(2).all(|pair| pair[0] < pair[1]));
        for (index, word) in WORDS.iter().enumerate() {
            assert!((3..=7).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            for other in &WORDS[..index] {
                let same = word.bytes().zip(other.bytes()).filter(|(a, b)| a == b).count();
                assert!(word.len() != other.len() || word.len() - same > 1, "{word} {other}");
            }
        }
    }

    #[test]
    fn a_fingerprint_is_found_again_as_people_type_it() {
        let digest = Digest::of(b"root");
        let words = fingerprint(&digest).join("  ").to_uppercase();
        assert!(is_fingerprint(&words, &digest));
        assert!(!is_fingerprint(&words, &Digest::of(b"another root")));
        assert!(!is_fingerprint(words.rsplit_once(' ').unwrap().0, &digest));
        assert!(!is_fingerprint("", &digest));
    }
}
