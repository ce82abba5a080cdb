//! The files of the page, as they were when the program was built. They are made from `web-ui` and kept in the tree, so that
//! cargo alone builds the program.

/// One file of the page.
pub(crate) struct Asset {
    /// Its path on the server.
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) kind: &'static str,
    /// What is in it.
    pub(crate) bytes: &'static [u8],
}

/// The document.
pub(crate) const PAGE: Asset =
    Asset { path: "/", kind: "text/html; charset=utf-8", bytes: include_bytes!("../assets/index.html") };
/// Its script.
pub(crate) const SCRIPT: Asset = Asset {
    path: "/page.js",
    kind: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../assets/page.js"),
};
/// Its style.
pub(crate) const STYLE: Asset =
    Asset { path: "/page.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../assets/page.css") };

/// The file at this path.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    [&PAGE, &SCRIPT, &STYLE].into_iter().find(|asset| asset.path == path)
}
