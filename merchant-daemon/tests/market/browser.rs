//! A browser without a screen: one question on each connection, and pages read strictly.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
};

use scraper::{ElementRef, Html, Selector};

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) lines: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Sends `request` as it stands and reads until the server closes; nothing, if it closes without a word.
pub(crate) fn send(at: &str, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(at).unwrap();
    // A server that has read enough may close while more is sent.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let lines = lines.map(|line| line.split_once(": ").unwrap());
    let lines = lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Some(Answer { status, lines, body: body.to_owned() })
}

/// Asks for a page as a browser does.
pub(crate) fn get(at: &str, path: &str) -> Answer {
    send(at, format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n").as_bytes()).unwrap()
}

/// Sends a form as a browser does, with further lines.
pub(crate) fn post(at: &str, path: &str, form: &str, further: &str) -> Answer {
    let length = form.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n{further}\r\n{form}"
    );
    send(at, request.as_bytes()).unwrap()
}

impl Answer {
    pub(crate) fn line(&self, name: &str) -> &str {
        self.lines.get(name).map_or("", String::as_str)
    }

    /// The page, if it is sound: see [`Page::check`].
    pub(crate) fn page(&self) -> Page {
        assert_eq!(self.line("content-type"), "text/html; charset=utf-8");
        let page = Page(Html::parse_document(&self.body));
        page.check();
        page
    }
}

/// A page that was parsed.
pub(crate) struct Page(Html);

impl Page {
    /// The elements that a selector of CSS means.
    pub(crate) fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        self.0.select(&Selector::parse(selector).unwrap()).collect()
    }

    /// The text of the one element that a selector means.
    pub(crate) fn text(&self, selector: &str) -> String {
        let [one] =
            self.all(selector).try_into().unwrap_or_else(|all: Vec<_>| panic!("{selector}: {}", all.len()));
        one.text().collect::<String>().trim().to_owned()
    }

    /// An attribute of each element that a selector means.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        self.all(selector).iter().filter_map(|one| one.attr(name)).map(str::to_owned).collect()
    }

    /// A parser that follows the standard finds no error; there is nothing that runs, nothing from elsewhere and no
    /// style in the page; who hears it read finds language, title, one main heading, and a label for each field.
    fn check(&self) {
        assert_eq!(self.0.errors, Vec::<String>::new());
        assert_eq!(self.attributes("html", "lang"), ["en"]);
        assert!(!self.text("title").is_empty() && !self.text("h1").is_empty() && self.all("main").len() == 1);
        for never in ["script", "style", "iframe", "object", "embed", "img", "[style]", "base"] {
            assert!(self.all(never).is_empty(), "{never}");
        }
        for element in self.all("*") {
            for (name, value) in element.value().attrs() {
                assert!(!name.starts_with("on"), "{name}");
                let leads = ["href", "src", "action"].contains(&name);
                assert!(!leads || value.starts_with(['/', '#']) || value.starts_with("semper://"), "{value}");
                assert!(!value.starts_with("//"));
            }
        }
        let ids = self.attributes("[id]", "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
        for field in self.all("input") {
            let id = field.attr("id").unwrap();
            assert_eq!(self.all(&format!("label[for={id}]")).len(), 1, "{id}");
        }
        for name in ["aria-describedby", "aria-labelledby"] {
            let named = self.attributes(&format!("[{name}]"), name);
            assert!(
                named.iter().flat_map(|names| names.split(' ')).all(|id| ids.iter().any(|one| one == id))
            );
        }
    }
}
