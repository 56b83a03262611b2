//! A URL that can contain a key.

/// A URL that no log shows.
#[derive(Debug, Clone)]
pub struct SecretUrl {
    /// Its spellings, the longest first: one can be the beginning of another.
    spellings: Vec<String>,
    shown: &'static str,
}

impl SecretUrl {
    /// Returns the URL as it is configured and, if it can be read, as it is parsed. `shown` replaces it.
    pub fn new(configured: &str, parsed: Option<String>, shown: &'static str) -> Self {
        let spellings = [configured.to_owned()].into_iter().chain(parsed);
        let mut spellings: Vec<_> = spellings.filter(|text| !text.is_empty()).collect();
        spellings.sort_by_key(|text| core::cmp::Reverse(text.len()));
        Self { spellings, shown }
    }

    /// Returns a text without the URL.
    pub fn hide(&self, text: &str) -> String {
        self.spellings.iter().fold(text.to_owned(), |text, url| text.replace(url.as_str(), self.shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_the_url_is_left() {
        let url = SecretUrl::new("http://Node/key", Some("http://node/key".to_owned()), "(the node's URL)");
        assert_eq!(url.hide("for url (http://node/key)"), "for url ((the node's URL))");
        let url = SecretUrl::new("http://node", Some("http://node/".to_owned()), "(it)");
        assert_eq!(url.hide("http://node/ and http://node"), "(it) and (it)");
        assert_eq!(SecretUrl::new("", None, "(it)").hide("a text"), "a text");
    }
}
