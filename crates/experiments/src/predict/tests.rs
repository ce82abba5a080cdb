//! Whole answers of small swarms.

use std::time::Duration;

use swarmlab_sim::{Model, run};

use super::*;
use crate::scenario::{Options, Origin, Scenario};
use crate::units::{parse_rate, parse_size};

/// A question: an origin of 10 Gbit/s, nodes of 1 Gbit/s, 20 ms apart.
pub(crate) fn question(size: &str, nodes: u32) -> Question {
    let rate = |text| parse_rate(text).unwrap();
    let class = Class { name: None, count: nodes, up: rate("1 Gbit/s"), down: rate("1 Gbit/s") };
    Question {
        size: parse_size(size).unwrap(),
        piece_length: None,
        nodes: vec![class],
        origin_up: rate("10 Gbit/s"),
        latency: Duration::from_millis(20),
        start: Start::Within(Duration::ZERO),
    }
}

/// Its model.
pub(crate) fn model(size: &str, nodes: u32) -> Model {
    question(size, nodes).scenario(&[]).unwrap().model(&Options::default()).unwrap()
}

fn plan_of(scenario: &Scenario, coarsening: Option<Coarsening>) -> Plan {
    Plan::new(&scenario.name, scenario.model(&Options::default()).unwrap(), None, coarsening)
}

/// Runs jobs one after the other.
fn all(plan: &Plan, jobs: &[Job]) -> Prediction {
    let done: Vec<Done> = jobs
        .iter()
        .map(|&job| {
            let outcome = run(plan.model(job), &mut |_| true).unwrap();
            Done { job, record: plan.record(job, &outcome) }
        })
        .collect();
    answer(plan, &done, Runs { base: jobs.len() as u64, complete: true, ..Runs::default() }).unwrap()
}

fn base(plan: &Plan) -> Prediction {
    all(plan, &[Job::Base(0), Job::Base(1), Job::Base(2)])
}

fn slow(size: &str, nodes: u32, rates: [&str; 3]) -> Question {
    let [up, down, origin_up] = rates.map(|rate| parse_rate(rate).unwrap());
    let class = Class { name: None, count: nodes, up, down };
    Question { nodes: vec![class], origin_up, ..question(size, nodes) }
}

#[test]
fn flags_a_table_and_a_scenario_are_the_same_question() {
    let flags = slow("4 MiB", 12, ["2 Mbit/s", "8 Mbit/s", "10 Mbit/s"]);
    let table = nodes::read("count,up,down\n5,2 Mbit/s,8 Mbit/s\n7,2 Mbit/s,8 Mbit/s\n").unwrap();
    let table = Question { nodes: table, ..flags.clone() };
    let scenario = r#"
        schema = "scenario/1"
        name = "prediction"
        content = { size = "4 MiB" }
        run = { max_time = "3650 d", sample = "64 s" }
        [[group]]
        name = "origin"
        role = "seed"
        up = "10 Mbit/s"
        [[group]]
        name = "nodes"
        role = "leecher"
        count = 12
        up = "2 Mbit/s"
        down = "8 Mbit/s"
    "#;
    let scenario = Scenario::parse(scenario, &Origin::named("x"), &[]).unwrap();
    let answers = [flags.scenario(&[]).unwrap(), table.scenario(&[]).unwrap(), scenario]
        .map(|scenario| base(&plan_of(&scenario, None)).json());
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[test]
fn a_table_with_several_links_is_a_group_for_each() {
    let table = nodes::read("name,up\na,2 Mbit/s\nb,1 Mbit/s\nc,2 Mbit/s\n,3 Mbit/s\n").unwrap();
    let start = Start::Every(Duration::from_secs(1));
    let scenario = Question { nodes: table, start, ..question("4 MiB", 1) }.scenario(&[]).unwrap();
    let groups: Vec<String> = scenario
        .groups
        .iter()
        .map(|group| format!("{} {} {:?}", group.name, group.count, group.arrive))
        .collect();
    let expected =
        ["origin 1 Together(0ns)", "a and 1 more 2 Every(2s)", "b 1 Every(4s)", "nodes-3 1 Every(4s)"];
    assert_eq!(groups, expected);
}

#[test]
fn the_resource_that_binds_is_named() {
    for (rates, resource) in [
        (["20 Mbit/s", "20 Mbit/s", "2 Mbit/s"], "origin-uplink"),
        (["20 Mbit/s", "2 Mbit/s", "20 Mbit/s"], "downlinks"),
        (["1 Mbit/s", "20 Mbit/s", "4 Mbit/s"], "all-uplinks"),
    ] {
        let scenario = slow("4 MiB", 12, rates).scenario(&[]).unwrap();
        let answer = base(&plan_of(&scenario, None));
        assert_eq!(answer.binds.resource, Some(resource), "{rates:?}");
        assert!(answer.binds.busy, "{rates:?}: {:?}", answer.binds);
        assert!(answer.coarsening.is_none());
        let bound = answer.bound.unwrap();
        assert_eq!(bound.resource, resource);
        assert!(bound.seconds.millionths() <= answer.time.last.estimate.least as u128);
    }
}

#[test]
fn plain_http_divides_the_origin_by_the_nodes() {
    let scenario = slow("4 MiB", 12, ["2 Mbit/s", "8 Mbit/s", "10 Mbit/s"]).scenario(&[]).unwrap();
    let http = base(&plan_of(&scenario, None)).http.unwrap();
    // 12 x 4 MiB at 10 Mbit/s, of which 1,448 of 1,514 bytes are content: 42.1 s.
    let seconds = http.last_seconds.rounded(1).to_string();
    assert_eq!((seconds.as_str(), http.origin_bytes), ("42.1", 12 << 22));
}

#[test]
fn a_second_seed_matters_where_the_origin_binds() {
    let scenario = slow("4 MiB", 12, ["20 Mbit/s", "20 Mbit/s", "2 Mbit/s"]).scenario(&[]).unwrap();
    let plan = plan_of(&scenario, None);
    let settings = (0..plan.settings.len()).map(|number| Job::Setting(number, 0));
    let jobs: Vec<Job> = [Job::Base(0)].into_iter().chain(settings).collect();
    let answer = all(&plan, &jobs);
    let first = &answer.settings[0];
    assert_eq!((first.setting, first.set.as_str()), ("one more seed", "group.origin.count=2"));
    assert!(first.mean.percent().starts_with("-4"), "half the time less what is shared anyway: {first:?}");
    assert!(answer.settings.is_sorted_by_key(|effect| std::cmp::Reverse(effect.size)));
}

/// The printed cost of coarse blocks is the real one: where the fine simulation can be run too, what is said to be uncertain
/// covers what it gives.
#[test]
fn what_coarse_blocks_cost_is_measured() {
    let mut asked = slow("256 MiB", 40, ["100 Mbit/s", "100 Mbit/s", "200 Mbit/s"]);
    asked.piece_length = Some(1 << 20);
    let scenario = asked.scenario(&[]).unwrap();
    let fine = base(&plan_of(&scenario, None));
    let plan = plan_of(
        &scenario,
        Some(Coarsening::to_block(256 << 10, &scenario.model(&Options::default()).unwrap())),
    );
    let jobs: Vec<Job> =
        plan.jobs(Some(3)).into_iter().filter(|job| !matches!(job, Job::Setting(..))).collect();
    let coarse = all(&plan, &jobs);
    let told = coarse.coarsening.as_ref().unwrap();
    assert_eq!((told.factor, told.reduced.len()), (16, 2));
    let shift = told.shift.unwrap().estimate;
    let (real, said) = (fine.time.mean.estimate, coarse.time.mean.estimate);
    let raw = said.mean - shift.mean;
    assert!(raw != real.mean, "coarse blocks change something");
    let unsure = shift.half.unwrap() as i64 + real.half.unwrap() as i64;
    assert!((said.mean - real.mean).abs() <= unsure, "fine {real:?}, coarse {said:?}, of which {shift:?}");
    assert!(
        coarse.summary().contains("Blocks of 256 KiB stand for 16 of 16 KiB each"),
        "{}",
        coarse.summary()
    );
}

#[test]
fn runs_that_do_not_end_make_no_answer() {
    let scenario = slow("4 MiB", 3, ["2 Mbit/s", "8 Mbit/s", "10 Mbit/s"]);
    let scenario =
        scenario.scenario(&["group.origin.leave={ kind = \"after\", time = \"1 s\" }".to_owned()]).unwrap();
    let plan = plan_of(&scenario, None);
    let outcome = run(plan.model(Job::Base(0)), &mut |_| true).unwrap();
    let done = [Done { job: Job::Base(0), record: plan.record(Job::Base(0), &outcome) }];
    let told = answer(&plan, &done, Runs::default()).unwrap_err().to_string();
    assert!(
        told.starts_with("1 of 1 runs ended before all nodes were complete: nobody held piece"),
        "{told}"
    );
    assert_eq!(answer(&plan, &[], Runs::default()).unwrap_err(), NoAnswer::NoRun);
}

#[test]
fn jobs_come_in_the_order_of_their_worth() {
    let plan = plan_of(&question("20 GB", 500).scenario(&[]).unwrap(), None);
    let jobs = plan.jobs(None);
    assert_eq!(jobs[..3], [Job::Base(0), Job::Base(1), Job::Base(2)]);
    assert_eq!(jobs[3], Job::Reduced(0, true, 0));
    let mut once = jobs.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), jobs.len(), "none is made twice");
    assert_eq!(jobs.iter().filter(|job| matches!(job, Job::Base(_))).count(), 10);
    let few = plan.jobs(Some(1));
    assert_eq!(few.len(), 1 + 4 + plan.settings.len());
    assert_eq!(
        plan_of(&question("4 MiB", 5).scenario(&[]).unwrap(), None)
            .jobs(Some(20))
            .iter()
            .filter(|job| matches!(job, Job::Base(_)))
            .count(),
        20
    );
}

#[test]
fn what_a_scenario_refuses_a_question_refuses() {
    let refused = |question: &Question| question.scenario(&[]).unwrap_err();
    assert!(matches!(refused(&question("4 MiB", 0)), QuestionError::Nodes(0)));
    let near = Question { latency: Duration::from_micros(1), ..question("4 MiB", 2) };
    assert!(matches!(refused(&near), QuestionError::Scenario(_)));
    let classes = (0..1_000).map(|rate| Class { name: None, count: 1, up: 1_000 + rate, down: 5_000 });
    let many = Question { nodes: classes.collect(), ..question("4 MiB", 1) };
    assert!(refused(&many).to_string().starts_with("the nodes have 1000 different pairs"));
}
