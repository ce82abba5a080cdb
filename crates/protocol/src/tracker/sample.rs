//! Drawing some of many without bias: which slots of a swarm an asker is told.

use alloc::vec::Vec;

use crate::Random;

/// Draws without replacement, with memory that is used again from draw to draw.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    drawn: Vec<u32>,
    seen: Vec<u32>,
}

/// Marks a free place in the set of numbers already drawn. Never drawn itself: a swarm holds fewer peers.
const FREE: u32 = u32::MAX;

impl Sampler {
    /// Draws `want` of the numbers from 0 to `among - 1`, or all of them if there are no more, in random order:
    /// every ordered selection is equally likely. The time is in proportion to `want`, whatever `among` is.
    pub(super) fn draw(&mut self, among: u32, want: u32, random: &mut Random) -> &mut [u32] {
        self.drawn.clear();
        let want = want.min(among);
        // With many wanted of few, the first steps of a shuffle cost at most four times `want`; with few of many a
        // number is rarely drawn twice, so that drawing again ends after fewer than 4/3 draws each.
        if among / 4 <= want {
            self.shuffle(among, want, random)
        } else {
            self.reject(among, want, random)
        }
        &mut self.drawn
    }

    fn shuffle(&mut self, among: u32, want: u32, random: &mut Random) {
        self.drawn.extend(0..among);
        for place in 0..want {
            let other = place + random.below(among - place);
            self.drawn.swap(place as usize, other as usize);
        }
        self.drawn.truncate(want as usize);
    }

    fn reject(&mut self, among: u32, want: u32, random: &mut Random) {
        let places = (want as usize * 2).next_power_of_two();
        self.seen.clear();
        self.seen.resize(places, FREE);
        while self.drawn.len() < want as usize {
            let number = random.below(among);
            if insert(&mut self.seen, number) {
                self.drawn.push(number);
            }
        }
    }
}

/// Adds a number to a set with linear probing; false if it is there already. The numbers are our own random ones, so
/// nobody can choose them to collide.
fn insert(seen: &mut [u32], number: u32) -> bool {
    let mask = seen.len() - 1;
    let mut place = number as usize & mask;
    loop {
        match seen[place] {
            FREE => {
                seen[place] = number;
                return true;
            }
            present if present == number => return false,
            _ => place = (place + 1) & mask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_distinct_in_range_and_as_many_as_there_are() {
        let (mut sampler, mut random) = (Sampler::default(), Random::new(3));
        for among in [0, 1, 2, 3, 7, 50, 199, 200, 201, 5_000] {
            for want in [0, 1, 2, 50, 200] {
                let drawn = sampler.draw(among, want, &mut random).to_vec();
                assert_eq!(drawn.len() as u32, want.min(among));
                assert!(drawn.iter().all(|&number| number < among));
                let mut distinct = drawn.clone();
                distinct.sort_unstable();
                distinct.dedup();
                assert_eq!(distinct.len(), drawn.len());
            }
        }
    }

    /// Chi-square of every ordered pair drawn: both ways of drawing give each selection, in each order, alike.
    #[test]
    fn every_ordered_selection_is_equally_likely() {
        for among in [6u32, 9] {
            let (mut sampler, mut random) = (Sampler::default(), Random::new(u64::from(among)));
            let draws = 90_000;
            let mut seen = alloc::vec![0u32; (among * among) as usize];
            for _ in 0..draws {
                let drawn = sampler.draw(among, 2, &mut random);
                seen[(drawn[0] * among + drawn[1]) as usize] += 1;
            }
            let pairs = among * (among - 1);
            let expected = f64::from(draws) / f64::from(pairs);
            let chi_square: f64 = (0..among * among)
                .filter(|pair| pair / among != pair % among)
                .map(|pair| (f64::from(seen[pair as usize]) - expected).powi(2) / expected)
                .sum();
            // Degrees of freedom: 29 and 71; the 99.9 % quantiles are 58.3 and 112.3.
            let limit = if among == 6 { 58.3 } else { 112.3 };
            assert!(chi_square < limit, "{among}: {chi_square}");
            assert!((0..among).all(|number| seen[(number * among + number) as usize] == 0));
        }
    }
}
