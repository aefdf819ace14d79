//! A window cannot make a prompt.

use semper_supporting::{crypto::digest::Digest, tinguin::SealedPrompt};

fn change(prompt: &mut SealedPrompt) {
    prompt.digest = Digest::of(b"something else");
}

fn main() {}
