//! Which groups get a line of their own in pictures: the largest ones, the others together.

use swarmlab_sim::{Model, Role};

/// Lines that can still be told apart, the others' included.
const MOST: usize = 6;

/// Groups that are shown as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    /// Its name.
    pub name: String,
    /// Numbers of the groups in it.
    pub groups: Vec<usize>,
}

/// The groups that match, in the order of the scenario; if there are too many, seeds and the largest of
/// them, and then all others as one.
pub(super) fn fold(model: &Model, matches: impl Fn(Role) -> bool) -> Vec<Fold> {
    let groups = &model.groups;
    let mut numbers: Vec<usize> = (0..groups.len()).filter(|&number| matches(groups[number].role)).collect();
    let mut others = Vec::new();
    if numbers.len() > MOST {
        // Seeds are few and matter most.
        let rank = |number: &usize| {
            let group = &groups[*number];
            (group.role != Role::Seed, std::cmp::Reverse(group.count), *number)
        };
        numbers.sort_by_key(rank);
        others = numbers.split_off(MOST - 1);
        numbers.sort_unstable();
        others.sort_unstable();
    }
    let own = |number: usize| Fold { name: groups[number].name.clone(), groups: vec![number] };
    let mut folds: Vec<Fold> = numbers.into_iter().map(own).collect();
    if !others.is_empty() {
        folds.push(Fold { name: format!("{} other groups", others.len()), groups: others });
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::small;

    #[test]
    fn the_largest_groups_stay_by_themselves() {
        let mut model = small().model;
        let group = model.groups[1].clone();
        let sized = |(number, count): (usize, u32)| {
            let mut group = group.clone();
            (group.name, group.count) = (format!("g{number}"), count);
            group
        };
        model.groups = [5, 1, 9, 2, 8, 7, 1, 6].into_iter().enumerate().map(sized).collect();
        let folds = fold(&model, |role| role != Role::Seed);
        let names: Vec<&str> = folds.iter().map(|fold| fold.name.as_str()).collect();
        assert_eq!(names, ["g0", "g2", "g4", "g5", "g7", "3 other groups"]);
        assert_eq!(folds[5].groups, [1, 3, 6]);
        assert_eq!(fold(&model, |role| role == Role::Seed), []);
        model.groups[6].role = Role::Seed;
        let folds = fold(&model, |_| true);
        let names: Vec<&str> = folds.iter().map(|fold| fold.name.as_str()).collect();
        assert_eq!(names, ["g2", "g4", "g5", "g6", "g7", "3 other groups"]);
    }
}
