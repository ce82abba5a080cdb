//! The swarm of `demo` in the simulated network: the same torrent, the same limits, the same engine as its endpoints run,
//! and as many leeches as one likes. Only what carries the messages differs.

use std::sync::Arc;
use std::time::Duration;

use swarmlab_experiments::compare::{Figures, side_by_side};
use swarmlab_experiments::results::Results;
use swarmlab_metainfo::Layout;
use swarmlab_net::endpoint::blocks_at_once;
use swarmlab_protocol::{Config, MessageKind};
use swarmlab_sim::{
    Arrive, Behaviour, Client, Content, End, Framing, Group, Latency, Leave, Model, Network, Role, Run, Stop,
    TrackerModel,
};

use crate::closed::{self, Report};
use crate::env::Env;
use crate::error::Error;
use crate::simulate::{Simulated, simulate, threads_for};

/// One way over loopback, with the tasks of two endpoints that wake up for it.
const LATENCY: Duration = Duration::from_micros(150);
/// Loopback as a downlink, in bytes per second: far more than the limits let through.
const LOOPBACK: u64 = 1_250_000_000;
/// Leeches of the large version.
const CROWD: u32 = 1_000;

/// What the twin has in common with the real swarm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    /// How the content is cut.
    pub(crate) layout: Layout,
    /// Leeches of the real swarm.
    pub(crate) leeches: u32,
    /// Most content each endpoint sends, in bytes per second.
    pub(crate) max_up: u64,
}

impl Twin {
    /// Simulates the swarm, once as it was and once with a crowd, and prints both beside the real one. False if the user
    /// stopped it.
    pub(crate) fn print_beside(self, env: &Env, real: &Report) -> Result<bool, Error> {
        let mut columns = vec![("real", figures(real, self.layout.length()))];
        for (title, leeches) in [("simulated", self.leeches), ("simulated, a crowd", CROWD)] {
            let simulated = simulate(env, title, self.model(leeches))?;
            if simulated.outcome.end == End::Interrupted {
                return Ok(false);
            }
            columns.push((title, figures_of(&simulated)));
        }
        // No swarm with these limits is done earlier, real or not.
        columns[0].1.bound = columns[1].1.bound;
        let mut out = env.out();
        out.line(
            env.out_style()
                .bold("\nthe same swarm simulated: the same engine, links of that rate in virtual time"),
        )?;
        out.line(side_by_side(&columns).trim_end())?;
        out.line(env.out_style().dim(
            "  the simulation knows rates and latencies, not this machine's processor and disk; every swarm draws its own luck",
        ))?;
        Ok(true)
    }

    fn model(self, leeches: u32) -> Model {
        // An endpoint passes on as much at once as its limit gives in a tenth of a second.
        let blocks = u32::from(blocks_at_once(Some(self.max_up), self.layout.block_len()));
        let client = Client::prompt(Arc::new(Config::default()), blocks * self.layout.block_len());
        let group = |name: &str, role: Role, count: u32| Group {
            name: name.to_owned(),
            role,
            count,
            up: self.max_up,
            down: LOOPBACK,
            nat: 0.0,
            arrive: Arrive::Together(Duration::from_millis(10)),
            leave: Leave::Stay,
            abort: None,
            behaviour: Behaviour::Honest,
            client: client.clone(),
            region: 0,
        };
        Model {
            seed: 1,
            content: Content { layout: self.layout, real: None },
            // Limits count content, so headers cost nothing here either.
            network: Network {
                latency: Latency::Constant(LATENCY),
                framing: Framing::None,
                queue: Duration::from_millis(100),
                sharing: swarmlab_sim::Sharing::Even,
                window: Layout::BLOCK_LEN,
            },
            tracker: TrackerModel {
                interval: closed::INTERVAL.0,
                min_interval: Some(closed::INTERVAL.1),
                numwant: 50,
                latency: LATENCY,
            },
            groups: vec![group("seed", Role::Seed, 1), group("leeches", Role::Leecher, leeches)],
            faults: Vec::new(),
            run: Run {
                stop: Stop::LeechersDone,
                max_time: Duration::from_secs(7 * 86_400),
                sample: Duration::from_millis(100),
                threads: threads_for(u64::from(leeches) + 1),
                check: false,
                timeline: false,
            },
        }
    }
}

fn figures_of(simulated: &Simulated) -> Figures {
    Figures::of(&Results::new(&simulated.model, &simulated.outcome, simulated.info()))
}

/// What is known of the real swarm. Its tracker was also told of the end, so its announces are not compared.
fn figures(real: &Report, length: u64) -> Figures {
    let leeches = &real.members[1..];
    let times: Vec<Duration> = leeches.iter().filter_map(|leech| leech.last.completed_after).collect();
    let sent = |kind: MessageKind| real.members.iter().map(|member| member.last.sent.of(kind)).sum::<u64>();
    Figures {
        leechers: leeches.len() as u64,
        completed: times.len() as u64,
        length,
        last: times.iter().max().copied().filter(|_| times.len() == leeches.len()),
        times,
        seeds_sent: real.members[0].last.totals.uploaded,
        leechers_sent: leeches.iter().map(|leech| leech.last.totals.uploaded).sum(),
        messages: Some(MessageKind::ALL.into_iter().map(sent).sum()),
        wall: Some(real.seconds),
        ..Figures::default()
    }
}
