//! What can be set on an engine: plain data that can be printed, compared and shared.

use core::time::Duration;

/// The behaviour of one endpoint. The defaults are BEP 3's where it gives any, else those of the reference client
/// (Cohen, "Incentives Build Robustness in BitTorrent", 2003), else our own, marked so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most links at a time, both directions. Mainline 4 keeps up to 80; Transmission 50.
    pub max_connections: u16,
    /// Links up to which we connect ourselves; beyond, only incoming ones are taken, so that newcomers find room.
    /// Mainline 4: half of the most.
    pub initiate_up_to: u16,
    /// Most connection attempts under way at a time.
    pub max_half_open: u16,
    /// Most connection attempts begun in a second; 0 sets no limit. libtorrent: 30, Transmission 4.1: 18.
    pub connects_per_second: u16,
    /// With fewer links than this an early announce is made. Mainline 4: 20.
    pub min_connections: u16,
    /// Peers asked of a tracker. BEP 3's customary 50.
    pub numwant: u16,
    /// The least time between two announces where the tracker names none. Ours; libtorrent: 300 s.
    pub min_announce_interval: Duration,
    /// Remotes unchoked at a time, the optimistic ones among them. BEP 3: 4.
    pub unchoke_slots: u16,
    /// Slots of a seed whose uplink carries a piece through each in a round. With more than `unchoke_slots` the number of
    /// slots goes by the rate: `unchoke_slots` is then the fewest of a seed and the most of a leecher. Otherwise there are
    /// `unchoke_slots`, always. Ours; mainline 4 goes by the configured rate.
    pub unchoke_most: u16,
    /// How many of the slots are optimistic. BEP 3: 1.
    pub optimistic_slots: u16,
    /// Time between choke decisions. BEP 3: 10 s.
    pub rechoke_interval: Duration,
    /// A remote that wants something is unchoked at once where a slot is free, and told at once that we want something of it.
    /// Without it both are decided at the end of each round, and rounds are counted from the start, links or not
    /// (Transmission, `rechokePulse`).
    pub between_rounds: bool,
    /// The optimistic unchoke moves every so many choke decisions. BEP 3: 3, which is 30 s.
    pub optimistic_rounds: u16,
    /// Who gets an optimistic unchoke, where the choker leaves that open.
    pub optimistic: OptimisticRule,
    /// Who is unchoked while we download.
    pub choker: LeechChoker,
    /// Who is unchoked once we have everything.
    pub seed_choker: SeedChoker,
    /// Our uplink in bytes per second, for the choker that spends it by plan ([`LeechChoker::BitTyrant`]); 0 if it is
    /// to be learnt from what was sent.
    pub upload_capacity: u32,
    /// Which piece is begun next.
    pub picker: Picker,
    /// The first and the last piece of the content are begun before all others. Transmission does so for each file, as it lets
    /// people look into it early (`calculatePiecePriority` in `torrent.c`); files are not known here.
    pub edges_first: bool,
    /// Which of the pieces under way is continued.
    pub unfinished: Unfinished,
    /// A remote that sends a piece within this time is asked for whole pieces, runs of as many as it sends within it, kept for
    /// it alone; with [`Unfinished::Rarest`] only. Zero: never. libtorrent: 20 s (`whole_pieces_threshold`).
    pub whole_pieces: Duration,
    /// Such a run has so many pieces at least, however slow the remote; with [`Unfinished::Rarest`] only. aria2: 1, so that a
    /// piece comes from one remote unless it chokes us, until the endgame.
    pub least_run: u16,
    /// The first so many pieces are picked at random. Mainline 4: 4.
    pub random_first_pieces: u16,
    /// How many requests are kept outstanding at a remote.
    pub pipeline: Pipeline,
    /// How that number moves between its bounds.
    pub pipeline_rule: PipelineRule,
    /// A remote is asked for more once no more than so many hundredths of the requests kept outstanding are. 100 is with each
    /// block; Transmission: 66.
    pub refill_percent: u8,
    /// A remote that owes us blocks and has sent none for this long has snubbed us. Cohen 2003: 60 s.
    pub snub_after: Duration,
    /// A request unanswered for this long may also be made of others. Ours; libtorrent adapts from 2 s to 60 s.
    pub request_timeout: Duration,
    /// A keep-alive is sent after this long without sending. BEP 3: 2 min.
    pub keep_alive_interval: Duration,
    /// A link on which nothing was heard for this long is closed. Mainline 4: 300 s.
    pub idle_timeout: Duration,
    /// When blocks that others were asked for may be asked of one more.
    pub endgame: Endgame,
    /// Most remotes a block is asked of at a time, in the endgame too. Transmission 4.0: 2; 1 for clients that have no
    /// endgame.
    pub endgame_askers: u16,
    /// With everything here, a remote that has wanted nothing for this long is sent away: it has everything too, and
    /// where redundant haves are off it may never say so. Ours; aria2 and Transmission part after 30 s.
    pub useless_after: Duration,
    /// Blocks a remote may have queued at us; more are rejected or dropped. libtorrent: 2,000.
    pub max_queued_requests: u16,
    /// Tell a remote of a new piece even if it has that piece. Off saves most HAVEs.
    pub redundant_have: bool,
    /// A remote is told of a new piece with whatever is said to it next but blocks, or after this time. Transmission: 10 s.
    pub have_delay: Duration,
    /// Speak the fast extension (BEP 6).
    pub fast_extension: bool,
    /// How many pieces a remote may ask for while choked (BEP 6, allowed fast). libtorrent: 5, aria2: 10.
    pub allowed_fast: u8,
    /// Which pieces these are depends on the whole address of the remote. libtorrent; BEP 6: on its network of class C.
    pub allowed_fast_by_host: bool,
    /// A remote that tells of a new piece is asked at once for what it has; else only if we wanted nothing of it before
    /// (libtorrent, `incoming_have`).
    pub haves_ask: bool,
    /// Never request anything, whatever is lacking: for content that may only be read.
    pub upload_only: bool,
    /// Give decisions with their reasons as [`crate::Output::Note`].
    pub notes: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_connections: 50,
            initiate_up_to: 30,
            max_half_open: 20,
            connects_per_second: 0,
            min_connections: 20,
            numwant: 50,
            min_announce_interval: Duration::from_secs(120),
            unchoke_slots: 4,
            unchoke_most: 7,
            optimistic_slots: 1,
            rechoke_interval: Duration::from_secs(10),
            between_rounds: true,
            optimistic_rounds: 3,
            optimistic: OptimisticRule::Rotation,
            choker: LeechChoker::Reciprocal,
            seed_choker: SeedChoker::Mainline4,
            upload_capacity: 0,
            picker: Picker::RarestFirst,
            edges_first: false,
            unfinished: Unfinished::OldestUnlessRarer,
            whole_pieces: Duration::ZERO,
            least_run: 0,
            random_first_pieces: 4,
            pipeline: Pipeline { min: 5, max: 500, span: Duration::from_secs(1) },
            pipeline_rule: PipelineRule::Delay,
            refill_percent: 100,
            snub_after: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(300),
            useless_after: Duration::from_secs(60),
            endgame: Endgame::Strict,
            endgame_askers: u16::MAX,
            max_queued_requests: 2_000,
            redundant_have: false,
            have_delay: Duration::ZERO,
            fast_extension: true,
            allowed_fast: 0,
            allowed_fast_by_host: false,
            haves_ask: true,
            upload_only: false,
            notes: false,
        }
    }
}

impl Config {
    /// Whether the number of slots goes by the rate of the uplink.
    pub(crate) fn adapts_slots(&self) -> bool {
        self.unchoke_most > self.unchoke_slots && self.unchoke_slots > 0
    }
}

/// Who is unchoked while downloading. Where nothing else is said, `unchoke_slots` less `optimistic_slots` interested
/// remotes are unchoked by rank and the rest by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeechChoker {
    /// The remotes that send us most, in a window of two rounds: tit for tat. Those that snub us are left to the optimistic
    /// slots, so there may be several (Cohen 2003).
    Reciprocal,
    /// Interested remotes in turn, whatever they give.
    RoundRobin,
    /// The remotes that send us most, snubbed or not; the optimistic one is whoever comes next, and takes a slot only if
    /// it is interested (BEP 3).
    Bep3,
    /// The remotes that send us most and do not snub us; then, in rotation order, one optimistic, or two where nobody
    /// else is unchoked (mainline 4.x, `Choker.py`).
    Mainline4,
    /// The remotes that sent us most in the last round, in a tie those that wait longest (libtorrent, `choker.cpp`).
    Libtorrent,
    /// The remotes that send us most, the unchoked first among equals, wanting something or not (Transmission,
    /// `rechokeUploads`).
    Transmission,
    /// The remotes that send us most among the interested ones that sent anything in the last 30 s (aria2,
    /// `BtLeecherStateChoke`).
    Aria2,
    /// Everyone (rqbit). Set `unchoke_slots` to `u16::MAX` with it.
    Everybody,
    /// The remotes that return most for what they cost, until the uplink is used up (BitTyrant; Piatek et al., NSDI
    /// 2007). Slots do not count.
    BitTyrant,
}

/// Who is unchoked while seeding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeedChoker {
    /// Mainline 4: the recently unchoked stay, then by rate, with forced rotation every 30 s.
    Mainline4,
    /// The remotes we send to fastest (BEP 3, older clients).
    FastestUpload,
    /// Each remote keeps its slot for 20 pieces and 60 s, then the next in turn (libtorrent).
    RoundRobin,
    /// Remotes near the start or the end of their download first (Chow et al., IPTPS 2008).
    AntiLeech,
    /// The remotes we send to fastest, the unchoked first among equals (Transmission, `rechokeUploads`).
    Transmission,
    /// Those with blocks on the way, then those unchoked in the last 20 s, then the fastest; in two rounds of three
    /// another by chance, in the third one more by rank (aria2, `BtSeederStateChoke`).
    Aria2,
    /// Everyone (rqbit). Set `unchoke_slots` to `u16::MAX` with it.
    Everybody,
}

/// Who gets an optimistic unchoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptimisticRule {
    /// The next in a rotation into which a new remote is put first with three times the chance of any other place (BEP 3).
    Rotation,
    /// Who has waited longest for one, newcomers first (libtorrent).
    LongestWaiting,
    /// Any, each equally likely (Transmission, aria2).
    Random,
}

/// Which piece is begun next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Picker {
    /// The one the fewest connected peers have (BEP 3).
    RarestFirst,
    /// Any the remote has.
    Random,
    /// The lowest index the remote has.
    Sequential,
}

/// Which of the pieces under way is continued at a remote that has several of them. All prefer the one the remote works
/// on already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unfinished {
    /// The one begun first, unless the remote has a piece not begun that fewer have: then that. Ours: a seed, or whoever has
    /// what others lack, is not kept busy with the rest of common pieces.
    OldestUnlessRarer,
    /// The one begun first. Ours.
    Oldest,
    /// The one the fewest connected peers have, unless the remote has one not begun that fewer have: then that (libtorrent).
    Rarest,
    /// The one that lacks fewest blocks (Transmission 4.0).
    FewestMissing,
    /// The one with fewest blocks still to be requested (Transmission 4.1).
    FewestUnrequested,
    /// The first of a list of all pieces that are lacking, fewest blocks to be requested first and then rarest, which is not
    /// always in order (Transmission 3.00). [`Config::picker`] and [`Config::random_first_pieces`] do not count then; the first
    /// and the last piece of the content go before others that are not begun.
    Listed,
}

/// When a block that others were asked for may be asked of one more. Either begins when every lacking block is
/// requested of someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endgame {
    /// Only of a remote that has nothing else to do, one block at a time (libtorrent).
    Strict,
    /// Of every remote, as many as its pipeline takes (BEP 3).
    Full,
}

/// How many requests are kept outstanding at a remote. The number starts at `min`; it grows by one with each block
/// that comes within half of `span` after it was asked for, and shrinks by one with each that takes longer than
/// `span`. So it follows both the rate and the latency, and a slow remote holds few blocks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// At least so many blocks. Cohen 2003: about 5.
    pub min: u16,
    /// At most so many blocks. libtorrent: 500.
    pub max: u16,
    /// The longest a block should wait for its turn at the remote. Ours; libtorrent keeps 3 s, Transmission 10 s.
    pub span: Duration,
}

/// How the number of outstanding requests moves between the bounds of [`Pipeline`]. See [`crate::pipeline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PipelineRule {
    /// By the delay of each block, as [`Pipeline`] says. Ours.
    Delay,
    /// Always `min` (Cohen 2003: about 5; rqbit: 128).
    Fixed,
    /// As many blocks as come in `span` at the present rate, at least `min`, at most `max` (Transmission: 10 s).
    RateTime,
    /// `min` and as many blocks as come in `span`; beyond 50 only 7.5 % of that, but at least 50 (mainline 4.x).
    Mainline,
    /// One more with each block until the rate grows no longer, from then on as `RateTime` (libtorrent).
    SlowStart,
    /// Doubled each time as many blocks have come as are outstanding at most (aria2).
    Doubling,
}
