//! The same rules as one would write them with ndarray in f32, for members of the same weight.

#![allow(clippy::cast_possible_truncation, reason = "numbers of members are small, and f32 is meant")]

use ensemble_compute::aggregation::{
    combine::MEDIAN_STEPS,
    procrustes::{BITS, STEPS},
    Rule,
};
use ndarray::{s, Array1, Array2, ArrayView2, Zip};

/// One table of many. `cheats` is the part that may cheat.
pub fn aggregate(rule: Rule, tables: &[Array2<f32>], anchors: usize, cheats: f64) -> Array2<f32> {
    let views: Vec<_> = tables.iter().map(|table| table.slice(s![..anchors, ..])).collect();
    let invariant = distances(tables.len(), |i, j| views[i].t().dot(&views[j]).mapv(|number| number * number).sum());
    let scores = scores(&invariant, cheats, usual(&invariant, cheats));
    let best = (0..tables.len()).min_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    assert!(views.iter().all(|view| polar(view.t().dot(view)).is_some()));
    let mut turned = turn(tables, &views, views[best]);
    let selected = selected(&turned, cheats);
    let first = mean(&turned, &selected);
    turned = turn(tables, &views, first.slice(s![..anchors, ..]));
    match rule {
        Rule::MultiKrum => by_rows(&turned, &self::selected(&turned, cheats), cheats),
        Rule::GeometricMedian => mean(&turned, &median(&between(&turned))),
        Rule::TrimmedMean => trimmed(&turned, cheats),
    }
}

fn turn(tables: &[Array2<f32>], anchors: &[ArrayView2<'_, f32>], to: ArrayView2<'_, f32>) -> Vec<Array2<f32>> {
    let rotation = |anchors: &ArrayView2<'_, f32>| polar(anchors.t().dot(&to)).unwrap();
    tables.iter().zip(anchors).map(|(table, anchors)| table.dot(&rotation(anchors))).collect()
}

fn polar(matrix: Array2<f32>) -> Option<Array2<f32>> {
    let identity: Array2<f32> = Array2::eye(matrix.nrows());
    let norm = matrix.mapv(|number| number * number).sum().sqrt();
    let mut x = matrix / norm;
    // What f32 reaches.
    let near = 16.0 * f64::from(1u32 << 12) / f64::from(1u32 << BITS);
    for _ in 0..STEPS {
        let y = x.t().dot(&x);
        let far = (&y - &identity).iter().fold(0.0f32, |far, number| far.max(number.abs()));
        x = x.dot(&(&identity * 1.5 - y * 0.5));
        if f64::from(far) <= near {
            return Some(x);
        }
    }
    None
}

fn distances(count: usize, product: impl Fn(usize, usize) -> f32) -> Array2<f64> {
    let mut products = Array2::zeros((count, count));
    for i in 0..count {
        for j in i..count {
            products[[i, j]] = f64::from(product(i, j));
        }
    }
    Array2::from_shape_fn((count, count), |(i, j)| {
        products[[i, i]] + products[[j, j]] - 2.0 * products[[i.min(j), i.max(j)]]
    })
}

fn between(tables: &[Array2<f32>]) -> Array2<f64> {
    distances(tables.len(), |i, j| (&tables[i] * &tables[j]).sum())
}

fn usual(distances: &Array2<f64>, cheats: f64) -> f64 {
    let count = distances.nrows();
    let mut pairs: Vec<_> = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).collect();
    pairs.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
    let place = (pairs.len() as f64 * 2.0 / 3.0 * (1.0 - cheats).powi(2)).ceil() as usize;
    pairs.get(place.saturating_sub(1)).map_or(0.0, |pair| distances[*pair])
}

fn scores(distances: &Array2<f64>, cheats: f64, least: f64) -> Vec<f64> {
    let count = distances.nrows();
    let others = count as f64 * (1.0 - cheats) - 1.0;
    let score = |i: usize| {
        let mut row: Vec<_> = (0..count).filter(|j| *j != i).map(|j| distances[[i, j]].max(least)).collect();
        row.sort_by(f64::total_cmp);
        let part = |place: usize| (others - place as f64).clamp(0.0, 1.0);
        row.iter().enumerate().map(|(place, distance)| distance * part(place)).sum::<f64>() / others
    };
    (0..count).map(score).collect()
}

fn near(scores: &[f64], slack: f64) -> Vec<bool> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[(sorted.len() - 1) / 2];
    scores.iter().map(|score| *score <= slack * middle).collect()
}

/// The part of each in the mean.
fn selected(tables: &[Array2<f32>], cheats: f64) -> Vec<f32> {
    let distances = between(tables);
    let usual = usual(&distances, cheats);
    let scores = scores(&distances, cheats, usual);
    let mut selected = near(&scores, 17.0 / 16.0);
    let mut order: Vec<_> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let honest = (scores.len() as f64 * (1.0 - cheats)).ceil() as usize;
    order.iter().take(honest).for_each(|place| selected[*place] = true);
    let nearness = |i: usize, j: usize| if i == j { 1.0 } else { (1.0 - 2.0 * distances[[i, j]] / usual).max(0.0) };
    let share = |i: usize| (0..scores.len()).filter(|j| selected[*j]).map(|j| nearness(i, j)).sum::<f64>();
    (0..scores.len()).map(|i| if selected[i] { (1.0 / share(i)) as f32 } else { 0.0 }).collect()
}

fn mean(tables: &[Array2<f32>], weights: &[f32]) -> Array2<f32> {
    let total: f32 = weights.iter().sum();
    let weighted = tables.iter().zip(weights).map(|(table, weight)| table * (weight / total));
    weighted.reduce(|sum, table| sum + table).unwrap()
}

fn by_rows(tables: &[Array2<f32>], weights: &[f32], cheats: f64) -> Array2<f32> {
    let mut result = Array2::zeros(tables[0].dim());
    for (place, mut out) in result.outer_iter_mut().enumerate() {
        let rows: Vec<_> = tables.iter().map(|table| table.row(place)).collect();
        let distances = distances(rows.len(), |i, j| rows[i].dot(&rows[j]));
        let near = near(&scores(&distances, cheats, usual(&distances, cheats)), 1.5);
        let parts: Vec<_> = near.iter().zip(weights).map(|(near, weight)| if *near { *weight } else { 0.0 }).collect();
        let total: f32 = parts.iter().sum();
        let sum = rows.iter().zip(&parts).fold(Array1::zeros(out.len()), |sum, (row, part)| sum + row * *part);
        out.assign(&(sum / total));
    }
    result
}

fn median(distances: &Array2<f64>) -> Vec<f32> {
    let count = distances.nrows();
    let mut parts = Array1::from_elem(count, 1.0 / count as f64);
    for _ in 0..MEDIAN_STEPS {
        let to = distances.dot(&parts);
        let inside = to.dot(&parts) / 2.0;
        parts = to.mapv(|square| 1.0 / (square - inside).sqrt());
        let sum = parts.sum();
        parts /= sum;
    }
    parts.iter().map(|part| *part as f32).collect()
}

fn trimmed(tables: &[Array2<f32>], cheats: f64) -> Array2<f32> {
    let cut = (tables.len() as f64 * cheats) as usize;
    let mut result = Array2::zeros(tables[0].dim());
    let mut values = vec![0.0f32; tables.len()];
    Zip::indexed(&mut result).for_each(|place, out| {
        for (value, table) in values.iter_mut().zip(tables) {
            *value = table[place];
        }
        values.sort_by(f32::total_cmp);
        let kept = &values[cut..values.len() - cut];
        *out = kept.iter().sum::<f32>() / kept.len() as f32;
    });
    result
}
