//! The network as text: addresses, names, and the batches that `ip` and `tc` make it from. Pure; [`crate::ground`] runs it.
//!
//! Addresses are of 198.18.0.0/15 (RFC 2544, benchmarking): clients treat RFC 1918 addresses and loopback as a fast local net,
//! where they do not choke or limit. Neighbours are entered for good, since the kernel's table of those it has asked for is
//! shared by all namespaces and a full mesh of some forty peers overflows it.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Most peers: above, a machine measures itself rather than the swarm.
pub(crate) const MOST_PEERS: u32 = 250;
/// Where the tracker listens, in the namespace of the bridge.
pub(crate) const HUB: Ipv4Addr = Ipv4Addr::new(198, 19, 255, 254);
/// Tokens of a bucket in bytes: five frames, so that a link is even. Above 64 Mbit/s as much as passes in a millisecond, which a
/// timer of the kernel keeps up with.
const BURST: u64 = 8_000;
/// A whole Ethernet frame in bytes, as `tbf` counts it.
const FRAME: u64 = 1_514;

/// The link of a peer, in bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) up: u64,
    pub(crate) down: u64,
}

/// The whole network.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// What the names of namespaces begin with; holds our process id.
    pub(crate) prefix: String,
    pub(crate) links: Vec<Link>,
    /// Buffer of a link, as the time it takes to drain.
    pub(crate) queue: Duration,
}

/// The address of a peer.
pub(crate) fn address(peer: usize) -> Ipv4Addr {
    debug_assert!(peer < MOST_PEERS as usize, "a scenario is held against the bound before");
    Ipv4Addr::new(198, 18, 0, peer as u8 + 1)
}

/// The interface of the bridge that leads to a peer.
pub(crate) fn port(peer: usize) -> String {
    format!("v{peer}")
}

/// A locally administered MAC address that goes with an address.
fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:53:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

impl Layout {
    /// The namespace of a peer.
    pub(crate) fn namespace(&self, peer: usize) -> String {
        format!("{}-{peer}", self.prefix)
    }

    /// The bridge, the namespaces of all peers and the pairs that lead there; for `ip -batch` beside the bridge.
    pub(crate) fn hub_links(&self) -> String {
        let mut batch = format!(
            "link set lo up\nlink add br0 address {} type bridge forward_delay 0 mcast_snooping 0\n\
             link set br0 addrgenmode none up\naddr add {HUB}/15 dev br0\n",
            mac(HUB)
        );
        for peer in 0..self.links.len() {
            let (name, port, address) = (self.namespace(peer), port(peer), address(peer));
            let mac = mac(address);
            let _ = write!(
                batch,
                "netns add {name}\nlink add {port} type veth peer name eth0 address {mac} netns {name}\n\
                 link set {port} master br0 addrgenmode none gso_max_segs 1 up\n\
                 neigh add {address} lladdr {mac} dev br0 nud permanent\n"
            );
        }
        batch
    }

    /// The downlinks: queues at the bridge's ends; for `tc -batch` there.
    pub(crate) fn hub_queues(&self) -> String {
        let line = |(peer, link): (usize, &Link)| self.bucket(&port(peer), link.down);
        self.links.iter().enumerate().map(line).collect()
    }

    /// A peer's end; for `ip -batch` in its namespace. CUBIC is chosen by the route: the machine may have another default, and
    /// which ones a namespace may choose is for the whole machine to say.
    pub(crate) fn peer_links(&self, peer: usize) -> String {
        let own = address(peer);
        let mut batch = format!(
            "link set lo up\nlink set eth0 addrgenmode none gso_max_segs 1 up\naddr add {own}/32 dev eth0\n\
             route add 198.18.0.0/15 dev eth0 src {own} congctl cubic\n"
        );
        let others = (0..self.links.len()).filter(|other| *other != peer).map(address);
        for other in others.chain([HUB]) {
            let _ = writeln!(batch, "neigh add {other} lladdr {} dev eth0 nud permanent", mac(other));
        }
        batch
    }

    /// A peer's uplink: the queue at its end; for `tc -batch` in its namespace.
    pub(crate) fn peer_queue(&self, peer: usize) -> String {
        self.bucket("eth0", self.links[peer].up)
    }

    fn bucket(&self, device: &str, rate: u64) -> String {
        let burst = BURST.max(rate / 1_000);
        let drains = u128::from(rate) * self.queue.as_micros() / 1_000_000;
        let limit = u64::try_from(drains).unwrap_or(u64::MAX).max(2 * FRAME);
        let bits = rate.saturating_mul(8);
        format!("qdisc add dev {device} root tbf rate {bits}bit burst {burst}b limit {limit}b\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Layout {
        let link = |up, down| Link { up, down };
        let links = vec![link(500_000, 2_500_000), link(125_000_000, 10_000)];
        Layout { prefix: "swl-7".to_owned(), links, queue: Duration::from_millis(100) }
    }

    #[test]
    fn the_hub_has_a_port_for_each_peer() {
        let expected = "\
link set lo up
link add br0 address 02:53:c6:13:ff:fe type bridge forward_delay 0 mcast_snooping 0
link set br0 addrgenmode none up
addr add 198.19.255.254/15 dev br0
netns add swl-7-0
link add v0 type veth peer name eth0 address 02:53:c6:12:00:01 netns swl-7-0
link set v0 master br0 addrgenmode none gso_max_segs 1 up
neigh add 198.18.0.1 lladdr 02:53:c6:12:00:01 dev br0 nud permanent
netns add swl-7-1
link add v1 type veth peer name eth0 address 02:53:c6:12:00:02 netns swl-7-1
link set v1 master br0 addrgenmode none gso_max_segs 1 up
neigh add 198.18.0.2 lladdr 02:53:c6:12:00:02 dev br0 nud permanent
";
        assert_eq!(two().hub_links(), expected);
    }

    #[test]
    fn a_peer_knows_all_others() {
        let expected = "\
link set lo up
link set eth0 addrgenmode none gso_max_segs 1 up
addr add 198.18.0.2/32 dev eth0
route add 198.18.0.0/15 dev eth0 src 198.18.0.2 congctl cubic
neigh add 198.18.0.1 lladdr 02:53:c6:12:00:01 dev eth0 nud permanent
neigh add 198.19.255.254 lladdr 02:53:c6:13:ff:fe dev eth0 nud permanent
";
        assert_eq!(two().peer_links(1), expected);
    }

    #[test]
    fn queues_drain_in_their_time_and_hold_two_frames() {
        assert_eq!(
            two().hub_queues(),
            "qdisc add dev v0 root tbf rate 20000000bit burst 8000b limit 250000b\n\
             qdisc add dev v1 root tbf rate 80000bit burst 8000b limit 3028b\n"
        );
        assert_eq!(
            two().peer_queue(1),
            "qdisc add dev eth0 root tbf rate 1000000000bit burst 125000b limit 12500000b\n"
        );
        assert_eq!(
            two().peer_queue(0),
            "qdisc add dev eth0 root tbf rate 4000000bit burst 8000b limit 50000b\n"
        );
    }
}
