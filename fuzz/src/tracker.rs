//! Targets for the tracker: the query strings and the replies of announce and scrape.

use swarmlab_protocol::tracker::{
    AnnounceQuery, AnnounceResponse, Failure, ReplyError, ScrapeQuery, ScrapeResponse,
};

/// A query that is read is written so that it reads the same, as part of a URL that needs no further escaping.
pub fn query(input: &[u8]) {
    const TRACKER: &str = "http://tracker/announce";
    let written = |url: &str| {
        assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
        url.split_once('?').map_or(Vec::new(), |(_, query)| query.as_bytes().to_vec())
    };
    match AnnounceQuery::parse(input) {
        Ok(query) => {
            assert_ne!(query.port, 0);
            assert_eq!(AnnounceQuery::parse(&written(&query.url(TRACKER))), Ok(query));
        }
        Err(error) => assert_printable(&error.to_string()),
    }
    if let Ok(query) = ScrapeQuery::parse(input) {
        let url = query.url(TRACKER).expect("an announce URL by the convention");
        // Written out, 20 bytes take up to 71, so that what could be read may be too long to be read again.
        let query_again = written(&url);
        if query_again.len() <= input.len() {
            assert_eq!(ScrapeQuery::parse(&query_again), Ok(query));
        }
    }
}

/// A reply that is read is within bounds and is written so that it reads the same.
pub fn reply(input: &[u8]) {
    match AnnounceResponse::decode(input) {
        Ok(response) => {
            assert!(response.peers.len() <= 10_000);
            let addrs = response.peers.addrs();
            assert_eq!(addrs.len(), response.peers.len());
            assert!(addrs.iter().all(|addr| addr.port() != 0));
            assert!((1..=86_400).contains(&response.interval.as_secs()));
            response.warning.iter().for_each(|warning| assert_printable(warning));
            let again = AnnounceResponse::decode(&response.encode());
            assert_eq!(again, Ok(AnnounceResponse { dropped: 0, ..response }));
        }
        Err(ReplyError::Refused(failure)) => refusal(failure),
        Err(error) => assert_printable(&error.to_string()),
    }
    if let Ok(response) = ScrapeResponse::decode(input) {
        let again = ScrapeResponse::decode(&response.encode()).expect("what is written can be read");
        assert!(again.files.len() <= response.files.len());
        assert!(again.files.iter().all(|file| response.files.contains(file)));
        assert_eq!(again.min_request_interval, response.min_request_interval);
    }
}

fn refusal(failure: Failure) {
    assert_printable(&failure.reason);
    let again = AnnounceResponse::decode(&failure.encode());
    assert_eq!(again, Err(ReplyError::Refused(failure)));
}

fn assert_printable(words: &str) {
    assert!(words.len() <= 4_000 && !words.contains(char::is_control), "{words:?}");
}
