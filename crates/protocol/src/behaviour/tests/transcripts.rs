//! One odd client, message by message.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::*;
use crate::{ConnId, Direction, Message, Opened, PieceIndex, Reserved};

struct Rig {
    node: Node,
    now: u64,
    out: Vec<Output>,
}

impl Rig {
    fn new(behaviour: Behaviour, pieces: &str) -> Self {
        let setup = setup(0, have(pieces), Config { min_connections: 0, ..Config::default() }, 5);
        Rig { node: Node::new(behaviour, setup), now: 0, out: Vec::new() }
    }

    /// Hands in an input and gives what came out, a line each.
    fn hand(&mut self, input: Input) -> String {
        self.node.handle(Instant::from_micros(self.now * 1_000), input, &mut self.out);
        self.out.drain(..).map(|output| line(&output)).collect::<Vec<_>>().join("\n")
    }

    fn open(&mut self, conn: u16, reserved: Reserved) -> String {
        let host = conn + 1;
        let peer =
            Opened { addr: addr(host), direction: Direction::Incoming, peer_id: peer_id(host), reserved };
        self.hand(Input::Opened { conn: ConnId(conn), peer: Box::new(peer) })
    }

    fn says(&mut self, conn: u16, message: Message) -> String {
        self.hand(Input::Message { conn: ConnId(conn), message })
    }

    fn credit(&mut self, conn: u16, blocks: u16) -> String {
        self.hand(Input::Writable { conn: ConnId(conn), blocks })
    }
}

fn line(output: &Output) -> String {
    match output {
        Output::Send { conn, message: Message::Bitfield(have) } => {
            let pieces: String =
                (0..have.len()).map(|at| if have.contains(PieceIndex(at)) { 'x' } else { '.' }).collect();
            format!("{conn} {pieces}")
        }
        Output::Send { conn, message } => match message {
            Message::Have(piece) => format!("{conn} have {}", piece.0),
            Message::Request(block) => format!("{conn} request {}.{}", block.piece.0, block.begin / BLOCK),
            Message::Piece(block) => format!("{conn} piece {}.{}", block.piece.0, block.begin / BLOCK),
            Message::Reject(block) => format!("{conn} reject {}.{}", block.piece.0, block.begin / BLOCK),
            other => format!("{conn} {other:?}").to_lowercase(),
        },
        Output::Close { conn, reason } => format!("{conn} close {reason:?}"),
        other => format!("{other:?}"),
    }
}

fn block(piece: u32, number: u32) -> Block {
    Block { piece: PieceIndex(piece), begin: number * BLOCK, len: BLOCK }
}

#[test]
fn an_honest_node_is_its_torrent() {
    let mut rig = Rig::new(Behaviour::Honest, "xx");
    assert!(matches!(rig.node, Node::Plain(_)));
    assert_eq!(rig.open(0, Reserved::OURS), "#0 haveall");
    assert_eq!(rig.says(0, Message::Interested), "#0 unchoke");
    rig.credit(0, 1);
    assert_eq!(rig.says(0, Message::Request(block(1, 0))), "#0 piece 1.0");
    assert!(!rig.node.corrupts(block(1, 0)));
    assert_eq!(rig.node.deadline(), rig.node.torrent().deadline());
}

#[test]
fn a_free_rider_never_unchokes() {
    let mut rig = Rig::new(Behaviour::FreeRider, "x.");
    rig.open(0, Reserved::OURS);
    assert_eq!(rig.says(0, Message::Interested), "");
    rig.says(0, Message::HaveAll);
    for _ in 0..20 {
        rig.now += 10_000;
        let out = rig.hand(Input::Deadline);
        assert!(!out.contains("unchoke"), "{out}");
    }
    assert_eq!(rig.says(0, Message::Request(block(0, 0))), "#0 reject 0.0");
    assert!(rig.says(0, Message::Unchoke).contains("request 1.0"), "it takes what it can get");
}

#[test]
fn a_staller_unchokes_and_takes_requests_and_answers_none() {
    let mut rig = Rig::new(Behaviour::Staller, "xx");
    rig.open(0, Reserved::OURS);
    assert_eq!(rig.says(0, Message::Interested), "#0 unchoke");
    assert_eq!(rig.credit(0, 100), "");
    for piece in 0..2 {
        assert_eq!(rig.says(0, Message::Request(block(piece, 0))), "");
    }
    assert_eq!(rig.node.torrent().totals().uploaded, 0);
}

#[test]
fn a_corrupter_corrupts_a_quarter_of_what_it_sends() {
    let mut rig = Rig::new(Behaviour::Corrupter, "xx");
    rig.open(0, Reserved::OURS);
    rig.says(0, Message::Interested);
    rig.credit(0, 1);
    assert_eq!(rig.says(0, Message::Request(block(0, 1))), "#0 piece 0.1", "the wire shows nothing");
    let corrupt = (0..4_000).filter(|_| rig.node.corrupts(block(0, 1))).count();
    assert!((900..1_100).contains(&corrupt), "{corrupt} of 4,000");
}

#[test]
fn a_liar_claims_half_of_what_it_lacks_and_refuses_it() {
    let mut rig = Rig::new(Behaviour::Liar, "xx........");
    for (conn, reserved) in [(0, Reserved::OURS), (1, Reserved::default())] {
        let said = rig.open(conn, reserved);
        let pieces = said.strip_prefix(&format!("#{conn} ")).unwrap();
        assert!(pieces.starts_with("xx"), "{said}");
        assert_eq!(pieces.matches('x').count(), 2 + 4, "{said}");
        rig.says(conn, Message::Interested);
        rig.credit(conn, 9);
        let lie = pieces.rfind('x').unwrap() as u32;
        let answer = rig.says(conn, Message::Request(block(lie, 0)));
        assert_eq!(answer, if conn == 0 { format!("#0 reject {lie}.0") } else { String::new() });
        let truth = rig.says(conn, Message::Request(block(0, 0)));
        assert_eq!(truth, format!("#{conn} piece 0.0"));
    }
    assert_eq!(rig.node.torrent().have().count(), 2, "its engine knows the truth");
}

#[test]
fn a_liar_with_nothing_breaks_its_silence() {
    let mut rig = Rig::new(Behaviour::Liar, "........");
    let said = rig.open(0, Reserved::default());
    assert_eq!(said.matches('x').count(), 4, "{said}");
}

#[test]
fn a_liar_says_nothing_twice() {
    let mut rig = Rig::new(Behaviour::Liar, "....");
    let said = rig.open(0, Reserved::OURS);
    let lies: Vec<bool> = said["#0 ".len()..].chars().map(|char| char == 'x').collect();
    rig.open(1, Reserved::OURS);
    rig.says(1, Message::HaveAll);
    rig.says(1, Message::Unchoke);
    for piece in 0..4 {
        rig.says(1, Message::Piece(block(piece, 0)));
        rig.says(1, Message::Piece(block(piece, 1)));
        let out = rig.hand(Input::Verified { piece: PieceIndex(piece), ok: true });
        let tells = out.contains(&format!("#0 have {piece}"));
        assert_eq!(tells, !lies[piece as usize], "piece {piece} of {said}: {out}");
    }
}

#[test]
fn a_flooder_keeps_its_rate_and_its_word_on_interest() {
    let mut rig = Rig::new(Behaviour::Flooder, "xx");
    assert_eq!(rig.node.deadline(), None, "nobody to flood");
    let mut sent = rig.open(0, Reserved::OURS).lines().count();
    while rig.now < 10_000 {
        let due = rig.node.deadline().unwrap();
        rig.now = due.as_micros() / 1_000;
        let out = rig.hand(Input::Deadline);
        sent += out.lines().count();
        assert!(out.ends_with("#0 notinterested"), "{out}");
    }
    assert!((1_000..1_200).contains(&sent), "{sent} messages in 10 s");
    let uploaded = rig.says(0, Message::Piece(block(0, 0)));
    assert!(!uploaded.contains("close"), "an answer to its own request is no offence: {uploaded}");
}

#[test]
fn a_super_seed_shows_a_piece_at_a_time() {
    let mut rig = Rig::new(Behaviour::SuperSeed, "xxxxxx");
    let shown = |out: &str| -> Vec<u32> {
        let pieces = out.lines().filter_map(|line| line.split_once(" have "));
        pieces.map(|(_, piece)| piece.parse().unwrap()).collect()
    };
    let first = rig.open(0, Reserved::OURS);
    assert!(first.starts_with("#0 havenone\n#0 have "), "{first}");
    let second = rig.open(1, Reserved::default());
    assert!(second.starts_with("#1 have "), "without the fast extension silence says nothing: {second}");
    let (one, two) = (shown(&first)[0], shown(&second)[0]);
    assert_ne!(one, two);
    assert_eq!(rig.says(0, Message::Have(PieceIndex(two))).lines().count(), 1, "0 has what 1 was shown");
    for conn in [0, 1] {
        rig.says(conn, Message::Interested);
        rig.credit(conn, 9);
        for number in 0..2 {
            let piece = if conn == 0 { one } else { two };
            rig.says(conn, Message::Request(block(piece, number)));
        }
    }
    let next = rig.says(1, Message::Have(PieceIndex(one)));
    assert_eq!(shown(&next).len(), 1, "only now 0 is shown another: {next}");
    assert!(next.starts_with("#0 have ") && shown(&next)[0] != one && shown(&next)[0] != two);
}

#[test]
fn a_super_seed_waits_only_so_long() {
    let mut rig = Rig::new(Behaviour::SuperSeed, "xxxxxx");
    let shown = rig.open(0, Reserved::OURS);
    rig.open(1, Reserved::OURS);
    let piece = shown.rsplit(' ').next().unwrap().parse().unwrap();
    rig.says(0, Message::Interested);
    rig.credit(0, 9);
    for number in 0..2 {
        let out = rig.says(0, Message::Request(block(piece, number)));
        assert!(!out.contains("have"), "{out}");
    }
    rig.now = 119_999;
    assert!(!rig.hand(Input::Deadline).contains("#0 have"));
    rig.now = 120_000;
    assert!(rig.hand(Input::Deadline).contains("#0 have"), "nobody else has taken it");
}

#[test]
fn a_super_seed_alone_with_a_remote_gives_it_piece_after_piece() {
    let mut rig = Rig::new(Behaviour::SuperSeed, "xxxx");
    let mut out = rig.open(0, Reserved::OURS);
    rig.says(0, Message::Interested);
    rig.credit(0, 20);
    for given in 0..4 {
        let piece = out.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{given}: {out}"));
        rig.says(0, Message::Request(block(piece, 0)));
        out = rig.says(0, Message::Request(block(piece, 1)));
    }
    assert!(!out.contains("have"), "it has all: {out}");
}

#[test]
fn a_super_seed_shows_all_once_all_is_elsewhere() {
    let mut rig = Rig::new(Behaviour::SuperSeed, "xxxx");
    rig.open(0, Reserved::OURS);
    rig.open(1, Reserved::OURS);
    rig.says(0, Message::Bitfield(Arc::new(have("xxx."))));
    let out = rig.says(1, Message::Have(PieceIndex(3)));
    let told = |conn: u16| out.lines().filter(|line| line.starts_with(&format!("#{conn} have"))).count();
    assert!(told(1) >= 2, "1 lacks three and was shown one at most: {out}");
    assert_eq!(rig.open(2, Reserved::OURS), "#2 haveall", "an ordinary seed");
    assert!(rig.node.deadline().is_none_or(|due| Some(due) == rig.node.torrent().deadline()));
}

#[test]
fn names_and_configurations() {
    for behaviour in Behaviour::ALL {
        assert_eq!(Behaviour::by_name(behaviour.name()), Some(behaviour));
        let once = behaviour.configure(&Config::default());
        assert_eq!(behaviour.configure(&once), once, "{behaviour:?}");
    }
    assert_eq!(Behaviour::by_name("saint"), None);
}
