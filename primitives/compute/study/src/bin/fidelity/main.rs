use std::{env, fs, path::Path, time::Instant};

use ensemble_compute::{
    inference::{Next, Run, glue},
    Machine,
};
use ensemble_compute_study::{float::Float, model::Model};

fn argmax(row: &[f32]) -> usize {
    let mut b = 0;
    for (i, x) in row.iter().enumerate() { if *x > row[b] { b = i } }
    b
}
fn nll(row: &[f64], target: usize) -> f64 {
    let m = row.iter().copied().fold(f64::MIN, f64::max);
    let s: f64 = row.iter().map(|x| (x - m).exp()).sum();
    m + s.ln() - row[target]
}

fn main() {
    let a: Vec<String> = env::args().collect();
    let model = Model::open(Path::new(&a[1])).unwrap();
    let windows: Vec<Vec<u32>> = serde_json::from_slice(&fs::read(&a[2]).unwrap()).unwrap();
    let most: usize = a[3].parse().unwrap();
    let float = Float::new(&model).unwrap();
    let machine = Machine::native();
    let local = model.local(machine).unwrap();
    let (mut n, mut same, mut nf, mut ni) = (0, 0, 0.0, 0.0);
    let mut time = 0.0;
    let (mut tk, mut tg) = (0.0, 0.0);
    for w in windows.iter().take(most) {
        let t = Instant::now();
        let f = float.forward(&mut float.cache(), w);
        eprintln!("float {:?}", t.elapsed());
        let mut run = Run::new(model.llama(), &model, false, machine).unwrap();
        let t0 = Instant::now();
        for (i, token) in w.iter().enumerate() {
            let mut call = run.begin(&[*token], true).unwrap();
            loop {
                let t = Instant::now();
                let out = local.compute(&call).unwrap();
                tk += t.elapsed().as_secs_f64();
                let e = call.inputs[0].exponent() - 24;
                let t = Instant::now();
                let next = run.supply(&out).unwrap();
                tg += t.elapsed().as_secs_f64();
                match next {
                    Next::Call(c) => call = c,
                    Next::Stored => break,
                    Next::Token(tok) => {
                        assert_eq!(glue::pick(&out[0]), Some(tok));
                        let logits: Vec<f64> = out[0].iter().map(|x| *x as f64 * (e as f64).exp2()).collect();
                        let fr: Vec<f32> = f.row(i).to_vec();
                        n += 1;
                        let b = argmax(&fr);
                        if b == tok as usize { same += 1 } else {
                            eprintln!("differ at {i}: float gap {}", fr[b] - fr[tok as usize]);
                        }
                        if i + 1 < w.len() {
                            let t = w[i + 1] as usize;
                            ni += nll(&logits, t);
                            nf += nll(&fr.iter().map(|x| *x as f64).collect::<Vec<_>>(), t);
                        }
                        break;
                    },
                }
            }
        }
        time += t0.elapsed().as_secs_f64();
        let m = (n - n / w.len()) as f64;
        println!("{n} same {same} {:.4} ppl float {:.5} int {:.5} ratio {:.6} tokens/s {:.1} kernel {:.3} glue {:.3} ms/token", same as f64 / n as f64, (nf / m).exp(), (ni / m).exp(), ((ni - nf) / m).exp(), n as f64 / time, tk * 1e3 / n as f64, tg * 1e3 / n as f64);
    }
}
