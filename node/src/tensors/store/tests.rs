//! The store on a real file system: arrival, room, pins, damage, and what a crash leaves behind.

use std::{fs, path::PathBuf, time::Instant};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::tensors::{
    metrics::Metrics,
    samples::{Sample, PIECE},
};

const PLENTY: u64 = 1 << 30;

fn footprint(sample: &Sample) -> u64 {
    index::footprint(&sample.header)
}

fn open(folder: &TempDir, quota: u64) -> Arc<Store> {
    Store::open(folder.path(), Room { quota, min_free: 0 }, Metrics::new(None).unwrap()).unwrap()
}

fn put(store: &Store, sample: &Sample) {
    assert!(store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()).unwrap().is_complete());
}

fn read(store: &Store, sample: &Sample) -> Vec<u8> {
    store.read(&store.tensor(&sample.id).unwrap(), 0..sample.header.encoded_len()).unwrap()
}

fn held_file(folder: &TempDir, sample: &Sample) -> PathBuf {
    folder.path().join("held").join(hex::encode(sample.id.0))
}

fn partial_file(folder: &TempDir, sample: &Sample) -> PathBuf {
    folder.path().join("partial").join(hex::encode(sample.id.0))
}

fn files_in(folder: &TempDir, name: &str) -> usize {
    fs::read_dir(folder.path().join(name)).unwrap().count()
}

/// Flips a bit of a file in place.
fn damage(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Checks everything that waits to be checked.
fn check_all(store: &Arc<Store>) {
    while let Some(id) = store.next_doubtful() {
        let mut check = store.check(&id);
        while check.as_mut().is_ok_and(|check| check.step().unwrap_or(false)) {}
    }
}

/// That the index agrees with the disk: the same tensors, and every byte counted once.
fn assert_consistent(folder: &TempDir, store: &Store) {
    let index = store.index.lock();
    let mut on_disk = 0;
    for (name, path) in store.held.entries().unwrap() {
        match name {
            files::Name::Tensor(id) => {
                let header = index.held.get(&id).expect("every file is in the index").header;
                assert_eq!(fs::metadata(&path).unwrap().len(), header.encoded_len());
                on_disk += index::footprint(&header);
            },
            files::Name::Outline(id) => assert!(index.held.contains_key(&id)),
            other => panic!("{other:?} in held/"),
        }
    }
    let under_way: u64 = index.partial.values().map(|partial| index::footprint(&partial.header)).sum();
    let uploads = fs::read_dir(folder.path().join("uploads")).unwrap().map(|entry| {
        let mut head = fs::read(entry.unwrap().path()).unwrap();
        head.truncate(Header::LEN);
        index::footprint(&Header::from_bytes(&head).unwrap())
    });
    assert_eq!(index.used(), on_disk + under_way + uploads.sum::<u64>());
}

mod arrival {
    use super::*;

    #[test]
    fn an_upload_in_parts_is_held_and_read_back() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(3 * PIECE + 5, 1);
        let mut offset = 0;
        for part in sample.encoding().chunks(999_999) {
            let received = store.upload(Uploader::Operator, sample.id, offset, part).unwrap();
            offset += part.len() as u64;
            assert_eq!((received.received, received.total), (offset, sample.header.encoded_len()));
            assert_eq!(received.is_complete(), store.has(&sample.id));
            assert_consistent(&folder, &store);
        }
        assert_eq!(read(&store, &sample), sample.encoding());
        assert_eq!(store.outline(&sample.id).unwrap(), sample.outline);
        // Once more is complete at once.
        assert!(store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()[..20]).unwrap().is_complete());
        assert_eq!(files_in(&folder, "uploads"), 0);
    }

    #[test]
    fn bytes_with_another_id_are_dropped() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let (sample, other) = (Sample::bytes(5000, 1), Sample::bytes(5000, 2));
        let error = store.upload(Uploader::Operator, sample.id, 0, &other.encoding()).unwrap_err();
        assert!(matches!(error, Error::WrongId { expected, actual } if expected == sample.id && actual == other.id));
        assert!(!store.has(&sample.id) && !store.has(&other.id));
        assert_eq!(store.usage().bytes, 0);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn parts_out_of_order_or_beyond_the_end_are_refused() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(5000, 1);
        let unknown = store.upload(Uploader::Operator, sample.id, 100, &[1]).unwrap_err();
        assert!(matches!(unknown, Error::WrongOffset { expected: 0, given: 100, .. }));
        store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()[..1000]).unwrap();
        let gap = store.upload(Uploader::Operator, sample.id, 1001, &[1]).unwrap_err();
        assert!(matches!(gap, Error::WrongOffset { expected: 1000, given: 1001, .. }));
        // The upload is still there and goes on.
        store.upload(Uploader::Operator, sample.id, 1000, &sample.encoding()[1000..2000]).unwrap();
        let long = store.upload(Uploader::Operator, sample.id, 2000, &[0; 5000]).unwrap_err();
        assert!(matches!(long, Error::TooLong { total: 5016, received: 7000 }));
        assert_eq!(store.usage().uploads, 0);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_tensor_one_byte_short_never_becomes_held() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(5000, 1);
        let short = &sample.encoding()[..sample.encoding().len() - 1];
        assert!(!store.upload(Uploader::Operator, sample.id, 0, short).unwrap().is_complete());
        assert!(!store.has(&sample.id));
        assert_eq!(store.usage().uploads, 1);
    }

    #[test]
    fn an_upload_begins_anew_at_offset_0() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(5000, 1);
        store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()[..4000]).unwrap();
        store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()[..100]).unwrap();
        assert_consistent(&folder, &store);
        assert!(store.upload(Uploader::Operator, sample.id, 100, &sample.encoding()[100..]).unwrap().is_complete());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn what_is_no_tensor_is_refused() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let id = TensorId([7; 32]);
        assert!(matches!(store.upload(Uploader::Operator, id, 0, b"not a tensor at all"), Err(Error::Invalid(_))));
        // A scale that is no number.
        let header = Header::new(Kind::Q8_0, 1, 32).unwrap();
        let mut block = [0; 34];
        block[..2].copy_from_slice(&0x7c00u16.to_le_bytes());
        let infinite = Sample::new(header, block.to_vec());
        assert!(matches!(
            store.upload(Uploader::Operator, infinite.id, 0, &infinite.encoding()),
            Err(Error::Invalid(_))
        ));
        // A bundle whose manifest is none.
        let header = Header::new(Kind::Bundle, 3, 1).unwrap();
        let manifest = Sample::new(header, vec![1, 2, 3]);
        assert!(matches!(
            store.upload(Uploader::Operator, manifest.id, 0, &manifest.encoding()),
            Err(Error::Invalid(_))
        ));
        assert_eq!(store.usage().bytes, 0);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn uploads_are_limited_in_number() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        for seed in 0..upload::MAX_UPLOADS {
            let sample = Sample::bytes(100 + seed, 0);
            store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()[..50]).unwrap();
        }
        let sample = Sample::bytes(99, 0);
        assert!(matches!(
            store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()),
            Err(Error::TooManyUploads(_))
        ));
        assert_consistent(&folder, &store);
    }

    #[test]
    fn strangers_set_aside_a_quarter_of_the_quota_and_half_of_the_places() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..2).map(|seed| Sample::bytes(50_000, seed)).collect();
        let store = open(&folder, 4 * footprint(&samples[0]) + 20_000);
        let begin = |uploader, sample: &Sample| store.upload(uploader, sample.id, 0, &sample.encoding()[..16]);
        begin(Uploader::Anybody, &samples[0]).unwrap();
        assert!(matches!(begin(Uploader::Anybody, &samples[1]), Err(Error::UploadsFull(_))));
        begin(Uploader::Operator, &samples[1]).unwrap();
        assert_consistent(&folder, &store);

        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let begin = |uploader, len| {
            let sample = Sample::bytes(len, 0);
            store.upload(uploader, sample.id, 0, &sample.encoding()[..16])
        };
        let accepted = (100..200).take_while(|len| begin(Uploader::Anybody, *len).is_ok()).count();
        assert_eq!(accepted, upload::MAX_UPLOADS / 2);
        begin(Uploader::Operator, 99).unwrap();
    }

    #[test]
    fn an_upload_that_nobody_goes_on_with_makes_room() {
        let folder = TempDir::new().unwrap();
        let (held, idle, other) = (Sample::bytes(5_000, 1), Sample::bytes(100_000, 2), Sample::bytes(100_000, 3));
        let store = open(&folder, footprint(&held) + footprint(&idle) + 5_000);
        put(&store, &held);
        store.upload(Uploader::Operator, idle.id, 0, &idle.encoding()[..16]).unwrap();
        // A part without bytes is no sign of life.
        let error = store.upload(Uploader::Operator, idle.id, 16, &[]).unwrap_err();
        assert!(matches!(error, Error::EmptyPart), "{error}");
        let full = store.upload(Uploader::Operator, other.id, 0, &other.encoding()).unwrap_err();
        assert!(matches!(full, Error::StoreFull { .. }), "{full}");
        store.index.lock().uploads[&idle.id].lock().age();
        put(&store, &other);
        assert!(store.has(&held.id) && store.usage().uploads == 0);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_download_takes_pieces_in_any_order_and_refuses_wrong_ones() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(3 * PIECE + 5, 1);
        let download = store.download(sample.outline.clone()).unwrap();
        assert!(matches!(download.accept(0, sample.piece(1), None).unwrap(), Arrival::Wrong));
        assert!(matches!(download.accept(3, &sample.piece(3)[1..], None).unwrap(), Arrival::Wrong));
        assert!(matches!(download.accept(4, b"no such piece", None).unwrap(), Arrival::Wrong));
        assert_eq!((download.received(), download.missing()), (0, vec![0, 1, 2, 3]));
        for index in [3, 0, 2, 1] {
            assert!(matches!(download.finish(), Err(Error::NotHeld(_))));
            assert!(matches!(download.accept(index, sample.piece(index), None).unwrap(), Arrival::Accepted));
            assert!(matches!(download.accept(index, sample.piece(index), None).unwrap(), Arrival::Duplicate));
        }
        assert_eq!(download.received(), sample.header.data_len());
        download.finish().unwrap();
        download.finish().unwrap();
        assert_eq!(read(&store, &sample), sample.encoding());
        assert_eq!((files_in(&folder, "partial"), files_in(&folder, "held")), (0, 2));
        assert_consistent(&folder, &store);
    }

    #[test]
    fn an_upload_overtakes_a_download() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(2 * PIECE, 1);
        let download = store.download(sample.outline.clone()).unwrap();
        put(&store, &sample);
        for index in 0..2 {
            download.accept(index, sample.piece(index), None).unwrap();
        }
        download.finish().unwrap();
        assert_eq!(store.usage().bytes, footprint(&sample));
        assert_eq!(read(&store, &sample), sample.encoding());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_download_that_was_given_up_does_not_pass_for_its_successor() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(2 * PIECE, 1);
        let first = store.download(sample.outline.clone()).unwrap();
        first.accept(0, sample.piece(0), None).unwrap();
        first.accept(1, sample.piece(1), None).unwrap();
        store.give_up(&sample.id);
        assert!(matches!(first.finish(), Err(Error::NotHeld(_))));
        let second = store.download(sample.outline.clone()).unwrap();
        assert!(matches!(first.finish(), Err(Error::NotHeld(_))));
        assert!(!store.has(&sample.id));
        assert_consistent(&folder, &store);
        second.accept(0, sample.piece(0), None).unwrap();
        second.accept(1, sample.piece(1), None).unwrap();
        second.finish().unwrap();
        assert!(store.has(&sample.id));
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_bundle_is_held_with_its_last_member() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let (one, two) = (Sample::bytes(5000, 1), Sample::bytes(6000, 2));
        // A member under two names counts once.
        let bundle = Sample::bundle(&[&one, &two, &one]);
        put(&store, &bundle);
        put(&store, &one);
        assert_eq!(store.holding(&bundle.id), None);
        put(&store, &two);
        let holding = store.holding(&bundle.id).unwrap();
        assert_eq!((holding.header, holding.bytes), (bundle.header, bundle.header.data_len() + 11_000));
        assert!(holding.is_verified());
    }

    #[test]
    fn bundles_do_not_nest() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let leaf = Sample::bytes(10, 1);
        let inner = Sample::bundle(&[&leaf]);
        let outer = Sample::bundle(&[&inner]);
        [&leaf, &inner, &outer].into_iter().for_each(|sample| put(&store, sample));
        assert!(store.holding(&inner.id).is_some());
        assert_eq!(store.holding(&outer.id), None);
    }
}

mod room {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..4).map(|seed| Sample::bytes(50_000, seed)).collect();
        let store = open(&folder, 3 * footprint(&samples[0]));
        samples[..3].iter().for_each(|sample| put(&store, sample));
        store.tensor(&samples[0].id).unwrap();
        put(&store, &samples[3]);
        let held: Vec<_> = samples.iter().map(|sample| store.has(&sample.id)).collect();
        assert_eq!(held, [true, false, true, true]);
        assert!(!held_file(&folder, &samples[1]).exists());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn pinned_and_guarded_tensors_stay_and_newcomers_are_refused() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..3).map(|seed| Sample::bytes(50_000, seed)).collect();
        let store = open(&folder, 2 * footprint(&samples[0]));
        samples[..2].iter().for_each(|sample| put(&store, sample));
        assert!(store.pin(&samples[0].id).unwrap());
        let guard = store.guard(&[samples[1].id]);
        let error = store.upload(Uploader::Operator, samples[2].id, 0, &samples[2].encoding()).unwrap_err();
        assert!(matches!(error, Error::StoreFull { available: 0, .. }), "{error}");
        assert!(matches!(store.download(samples[2].outline.clone()), Err(Error::StoreFull { .. })));
        assert!(store.has(&samples[0].id) && store.has(&samples[1].id));
        drop(guard);
        put(&store, &samples[2]);
        assert!(store.has(&samples[0].id) && !store.has(&samples[1].id));
        assert_consistent(&folder, &store);
    }

    #[test]
    fn nothing_goes_for_what_would_not_fit_anyway() {
        let folder = TempDir::new().unwrap();
        let (small, large) = (Sample::bytes(1000, 1), Sample::bytes(100_000, 2));
        let store = open(&folder, 50_000);
        put(&store, &small);
        let error = store.upload(Uploader::Operator, large.id, 0, &large.encoding()).unwrap_err();
        assert!(matches!(error, Error::StoreFull { available: 50_000, .. }), "{error}");
        assert!(store.has(&small.id));
    }

    #[test]
    fn abandoned_downloads_go_before_tensors() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..3).map(|seed| Sample::bytes(50_000, seed)).collect();
        let store = open(&folder, 2 * footprint(&samples[0]));
        put(&store, &samples[0]);
        let download = store.download(samples[1].outline.clone()).unwrap();
        // One that is being worked on stays.
        let error = store.upload(Uploader::Operator, samples[2].id, 0, &samples[2].encoding()[..20]).map(|_| ());
        error.unwrap();
        assert!(!store.has(&samples[0].id));
        drop(download);
        put(&store, &samples[0]);
        assert!(!partial_file(&folder, &samples[1]).exists());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn the_members_of_a_pinned_bundle_stay() {
        let folder = TempDir::new().unwrap();
        let (member, other) = (Sample::bytes(50_000, 1), Sample::bytes(50_000, 2));
        let bundle = Sample::bundle(&[&member]);
        let store = open(&folder, (footprint(&member) + footprint(&bundle)) / 4 * 5 + 100);
        put(&store, &member);
        assert!(!store.pin(&bundle.id).unwrap());
        put(&store, &bundle);
        assert!(store.pin(&bundle.id).unwrap());
        assert!(matches!(
            store.upload(Uploader::Operator, other.id, 0, &other.encoding()),
            Err(Error::StoreFull { .. })
        ));
        assert!(matches!(store.remove(&member.id), Err(Error::Pinned(_))));
        assert!(store.holding(&member.id).unwrap().pinned);
        store.unpin(&bundle.id).unwrap();
        put(&store, &other);
        assert_eq!(store.holding(&bundle.id), None);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn pinned_tensors_leave_room_for_others() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..5).map(|seed| Sample::bytes(50_000, seed)).collect();
        let bundle = Sample::bundle(&[&samples[0]]);
        let store = open(&folder, 5 * footprint(&samples[0]) + 10_000);
        samples[..4].iter().for_each(|sample| put(&store, sample));
        put(&store, &bundle);
        for sample in &samples[..4] {
            assert!(store.pin(&sample.id).unwrap());
        }
        // Its member counts once, but the manifest is too much.
        let error = store.pin(&bundle.id).unwrap_err();
        assert!(matches!(error, Error::PinsFull { .. }), "{error}");
        assert!(!store.holding(&bundle.id).unwrap().pinned);
        // What is pinned may be pinned again, and what comes and goes has room.
        assert!(store.pin(&samples[0].id).unwrap());
        put(&store, &samples[4]);
        store.unpin(&samples[3].id).unwrap();
        put(&store, &bundle);
        assert!(store.pin(&bundle.id).unwrap());
    }

    #[test]
    fn what_will_fit_is_known_before_it_is_there() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..3).map(|seed| Sample::bytes(50_000, seed)).collect();
        let one = footprint(&samples[0]);
        let store = open(&folder, 5 * one);
        let fits = |bytes| store.check_room(bytes).is_ok();
        assert!(fits(4 * one) && !fits(4 * one + 1));
        samples.iter().for_each(|sample| put(&store, sample));
        // What is not pinned makes way.
        assert!(fits(4 * one));
        assert!(store.pin(&samples[0].id).unwrap());
        assert!(fits(3 * one) && !fits(3 * one + 1));
        // What is in use does not.
        let _guard = store.guard(&[samples[1].id, samples[2].id]);
        assert!(fits(2 * one) && !fits(2 * one + 1));
        assert_eq!(store.usage().tensors, 3);
    }

    #[test]
    fn small_tensors_count_as_what_their_files_take() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, 100_000);
        for len in 1..100 {
            put(&store, &Sample::bytes(len, 1));
        }
        assert!(files_in(&folder, "held") * 4096 <= 100_000);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_disk_that_is_nearly_full_takes_nothing_more() {
        let folder = TempDir::new().unwrap();
        let (held, sample) = (Sample::bytes(5000, 1), Sample::bytes(5000, 2));
        put(&open(&folder, PLENTY), &held);
        let room = Room { quota: PLENTY, min_free: u64::MAX };
        let store = Store::open(folder.path(), room, Metrics::new(None).unwrap()).unwrap();
        assert!(matches!(store.upload(Uploader::Operator, sample.id, 0, &sample.encoding()), Err(Error::DiskFull)));
        assert!(matches!(store.download(sample.outline.clone()), Err(Error::DiskFull)));
        assert!(store.has(&held.id));
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_smaller_quota_shrinks_the_store() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..3).map(|seed| Sample::bytes(50_000, seed)).collect();
        let store = open(&folder, PLENTY);
        samples.iter().for_each(|sample| put(&store, sample));
        assert!(store.pin(&samples[0].id).unwrap());
        drop(store);
        let store = open(&folder, footprint(&samples[0]));
        assert_eq!((store.usage().tensors, store.has(&samples[0].id)), (1, true));
        assert_consistent(&folder, &store);
        // Pinned tensors stay even where the quota is smaller than they are.
        drop(store);
        assert!(open(&folder, 10).has(&samples[0].id));
    }

    #[test]
    fn removing_frees_room_at_once() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(5000, 1);
        put(&store, &sample);
        let open = store.tensor(&sample.id).unwrap();
        store.remove(&sample.id).unwrap();
        assert_eq!((store.usage().bytes, files_in(&folder, "held")), (0, 0));
        assert!(matches!(store.remove(&sample.id), Err(Error::NotHeld(_))));
        // Whoever still looks at it may.
        assert_eq!(store.read(&open, 0..sample.header.encoded_len()).unwrap(), sample.encoding());
    }
}

mod restart {
    use super::*;

    #[test]
    fn tensors_and_pins_survive() {
        let folder = TempDir::new().unwrap();
        let (sample, other) = (Sample::bytes(5000, 1), Sample::bytes(5000, 2));
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        put(&store, &other);
        assert!(store.pin(&sample.id).unwrap());
        drop(store);
        let store = open(&folder, PLENTY);
        let holding = store.holding(&sample.id).unwrap();
        assert!(holding.pinned && !holding.is_verified());
        check_all(&store);
        assert!(store.holding(&sample.id).unwrap().is_verified());
        store.unpin(&sample.id).unwrap();
        drop(store);
        assert!(!open(&folder, PLENTY).holding(&sample.id).unwrap().pinned);
    }

    #[test]
    fn what_somebody_waits_for_is_checked_first() {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..5).map(|seed| Sample::bytes(5000, seed)).collect();
        let store = open(&folder, PLENTY);
        samples.iter().for_each(|sample| put(&store, sample));
        drop(store);
        let store = open(&folder, PLENTY);
        store.hurry(&samples[3].id);
        store.hurry(&samples[3].id);
        assert_eq!(store.next_doubtful(), Some(samples[3].id));
    }

    #[test]
    fn leftovers_of_a_crash_are_removed() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(5000, 1);
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        store.upload(Uploader::Operator, TensorId([1; 32]), 0, &Sample::bytes(100, 1).encoding()[..50]).unwrap();
        drop(store);
        let held = folder.path().join("held");
        // A temporary file, an outline without its tensor, half a tensor, a header that lies.
        fs::write(held.join("half.tmp"), b"half").unwrap();
        fs::write(held.join(hex::encode([2; 32])).with_extension("outline"), b"outline").unwrap();
        fs::write(held.join(hex::encode([3; 32])), &sample.encoding()[..2000]).unwrap();
        fs::write(held.join(hex::encode([4; 32])), b"short").unwrap();
        fs::write(folder.path().join("partial").join(hex::encode([5; 32])), b"short").unwrap();
        // Something that is not the store's stays.
        fs::write(folder.path().join("notes.txt"), b"mine").unwrap();

        let store = open(&folder, PLENTY);
        assert_eq!((files_in(&folder, "held"), files_in(&folder, "uploads"), files_in(&folder, "partial")), (2, 0, 0));
        assert_eq!(store.usage().tensors, 1);
        assert!(folder.path().join("notes.txt").exists());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_download_goes_on_where_it_was() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(4 * PIECE, 1);
        let store = open(&folder, PLENTY);
        let download = store.download(sample.outline.clone()).unwrap();
        download.accept(1, sample.piece(1), None).unwrap();
        download.accept(3, sample.piece(3), None).unwrap();
        // Nothing is closed or flushed: the next store sees what a killed process left.
        std::mem::forget(download);
        std::mem::forget(store);

        let store = open(&folder, PLENTY);
        assert_eq!(store.usage().bytes, footprint(&sample));
        let outline = store.interrupted(&sample.id).unwrap();
        let download = store.download(outline).unwrap();
        assert_eq!((download.missing(), download.received()), (vec![0, 2], 2 * PIECE as u64));
        download.accept(0, sample.piece(0), None).unwrap();
        download.accept(2, sample.piece(2), None).unwrap();
        download.finish().unwrap();
        assert_eq!(read(&store, &sample), sample.encoding());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_download_does_not_trust_what_it_finds() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(2 * PIECE, 1);
        let store = open(&folder, PLENTY);
        let download = store.download(sample.outline.clone()).unwrap();
        download.accept(0, sample.piece(0), None).unwrap();
        download.accept(1, sample.piece(1), None).unwrap();
        drop((download, store));
        damage(&partial_file(&folder, &sample), Header::LEN + PIECE + 17);
        let store = open(&folder, PLENTY);
        let download = store.download(store.interrupted(&sample.id).unwrap()).unwrap();
        assert_eq!(download.missing(), [1]);
        drop((download, store));
        // Without its outline a download starts anew.
        damage(&partial_file(&folder, &sample).with_extension("outline"), 20);
        let store = open(&folder, PLENTY);
        assert_eq!(store.interrupted(&sample.id), None);
        assert_eq!(store.usage().bytes, 0);
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_forgotten_download_is_dropped_after_a_week() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(PIECE, 1);
        let store = open(&folder, PLENTY);
        drop(store.download(sample.outline.clone()).unwrap());
        drop(store);
        let long_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 3600);
        File::open(partial_file(&folder, &sample)).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(open(&folder, PLENTY).usage().bytes, 0);
        assert_eq!(files_in(&folder, "partial"), 0);
    }
}

mod damage_on_disk {
    use super::*;

    #[test]
    fn the_check_removes_a_file_with_a_flipped_bit() {
        let folder = TempDir::new().unwrap();
        let (good, bad) = (Sample::bytes(2 * PIECE, 1), Sample::bytes(2 * PIECE, 2));
        let store = open(&folder, PLENTY);
        put(&store, &good);
        put(&store, &bad);
        assert!(store.pin(&bad.id).unwrap());
        drop(store);
        damage(&held_file(&folder, &bad), Header::LEN + PIECE + 1);
        let store = open(&folder, PLENTY);
        assert!(store.has(&bad.id));
        check_all(&store);
        assert!(!store.has(&bad.id) && store.has(&good.id));
        assert_consistent(&folder, &store);
        // When it comes back it is pinned as before.
        put(&store, &bad);
        assert!(store.holding(&bad.id).unwrap().pinned);
    }

    #[test]
    fn a_shortened_file_is_noticed_before_it_is_looked_at() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(2 * PIECE, 1);
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        let file = fs::OpenOptions::new().write(true).open(held_file(&folder, &sample)).unwrap();
        file.set_len(100).unwrap();
        assert!(matches!(store.tensor(&sample.id), Err(Error::Damaged(_))));
        assert!(!store.has(&sample.id) && !held_file(&folder, &sample).exists());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_goes() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(2 * PIECE, 1);
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        // The bytes vanish under somebody who has opened the file, as a broken sector would have it.
        let (open, mut check) = (store.tensor(&sample.id).unwrap(), store.check(&sample.id).unwrap());
        fs::OpenOptions::new().write(true).open(held_file(&folder, &sample)).unwrap().set_len(100).unwrap();
        assert!(matches!(check.step(), Err(Error::Damaged(_))));
        assert!(matches!(store.read(&open, 0..sample.header.encoded_len()), Err(Error::Damaged(_))));
        assert!(!store.has(&sample.id) && !held_file(&folder, &sample).exists());
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_proof_of_a_damaged_row_removes_the_file() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(20_000, 1);
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        for leaf in 0..sample.header.leaf_count() {
            store.proof(&sample.id, leaf).unwrap().verify(&sample.id).unwrap();
        }
        assert!(matches!(store.proof(&sample.id, 5), Err(Error::Invalid(_))));
        damage(&held_file(&folder, &sample), Header::LEN);
        assert!(matches!(store.proof(&sample.id, 0), Err(Error::Damaged(_))));
        assert!(!store.has(&sample.id));
    }

    #[test]
    fn a_spoilt_outline_is_computed_again() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(2 * PIECE, 1);
        let store = open(&folder, PLENTY);
        put(&store, &sample);
        let outline = held_file(&folder, &sample).with_extension("outline");
        damage(&outline, 30);
        assert_eq!(store.outline(&sample.id).unwrap(), sample.outline);
        fs::remove_file(&outline).unwrap();
        assert_eq!(store.outline(&sample.id).unwrap(), sample.outline);
        assert!(outline.exists());
        // If the tensor itself is wrong too, it goes.
        fs::remove_file(&outline).unwrap();
        damage(&held_file(&folder, &sample), 5000);
        assert!(matches!(store.outline(&sample.id), Err(Error::Damaged(_))));
        assert!(!store.has(&sample.id));
    }

    #[test]
    fn a_damaged_manifest_is_removed_when_the_node_starts() {
        let folder = TempDir::new().unwrap();
        let member = Sample::bytes(100, 1);
        let bundle = Sample::bundle(&[&member]);
        let store = open(&folder, PLENTY);
        put(&store, &bundle);
        drop(store);
        damage(&held_file(&folder, &bundle), Header::LEN + 20);
        assert!(!open(&folder, PLENTY).has(&bundle.id));
    }
}

mod announcements {
    use super::*;

    #[test]
    fn members_are_found_through_their_bundle() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let (member, other) = (Sample::bytes(100, 1), Sample::bytes(100, 2));
        let bundle = Sample::bundle(&[&member]);
        [&member, &bundle, &other].into_iter().for_each(|sample| put(&store, sample));
        assert_eq!(store.announceable(10), [other.id, bundle.id]);
        assert_eq!(store.announceable(1), [other.id]);
    }

    #[tokio::test]
    async fn every_change_wakes_who_waits_for_it() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        store.changed().await;
        put(&store, &Sample::bytes(100, 1));
        store.changed().await;
    }
}

#[derive(Clone, Debug)]
enum Step {
    Upload(usize),
    HalfUpload(usize),
    Download(usize, usize),
    Pin(usize),
    Unpin(usize),
    Remove(usize),
    Read(usize),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let sample = 0..6usize;
    prop_oneof![
        sample.clone().prop_map(Step::Upload),
        sample.clone().prop_map(Step::HalfUpload),
        (sample.clone(), 0..3usize).prop_map(|(sample, pieces)| Step::Download(sample, pieces)),
        sample.clone().prop_map(Step::Pin),
        sample.clone().prop_map(Step::Unpin),
        sample.clone().prop_map(Step::Remove),
        sample.prop_map(Step::Read),
        Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens in whatever order: the index agrees with the disk, the quota holds, pinned tensors stay, and
    /// whatever is held is right.
    #[test]
    fn any_order_of_events_leaves_a_sound_store(steps in prop::collection::vec(any_step(), 1..40)) {
        let folder = TempDir::new().unwrap();
        let samples: Vec<_> = (0..6).map(|seed| Sample::bytes(PIECE + 10_000 * usize::from(seed), seed)).collect();
        let quota = 3 * footprint(&samples[5]);
        let mut store = open(&folder, quota);
        for step in steps {
            let pinned: Vec<_> = samples.iter().filter(|sample| {
                store.holding(&sample.id).is_some_and(|holding| holding.pinned)
            }).collect();
            match step {
                Step::Upload(at) => drop(store.upload(Uploader::Operator, samples[at].id, 0, &samples[at].encoding())),
                Step::HalfUpload(at) => drop(store.upload(Uploader::Operator, samples[at].id, 0, &samples[at].encoding()[..5000])),
                Step::Download(at, pieces) => if let Ok(download) = store.download(samples[at].outline.clone()) {
                    for index in (0..Outline::piece_count(&samples[at].header)).take(pieces) {
                        download.accept(index, samples[at].piece(index), None).unwrap();
                    }
                    prop_assert_eq!(download.finish().is_ok(), download.is_complete());
                },
                Step::Pin(at) => {
                    let pinned = store.pin(&samples[at].id);
                    let allowed = matches!(pinned, Ok(_) | Err(Error::PinsFull { .. }));
                    prop_assert!(allowed);
                },
                Step::Unpin(at) => store.unpin(&samples[at].id).unwrap(),
                Step::Remove(at) => drop(store.remove(&samples[at].id)),
                Step::Read(at) => drop(store.tensor(&samples[at].id)),
                Step::Restart => {
                    drop(store);
                    store = open(&folder, quota);
                },
            }
            assert_consistent(&folder, &store);
            prop_assert!(store.usage().bytes <= quota);
            for sample in &samples {
                if store.has(&sample.id) {
                    prop_assert!(read(&store, sample) == sample.encoding());
                }
            }
            if !matches!(step, Step::Unpin(_)) {
                prop_assert!(pinned.iter().all(|sample| store.has(&sample.id)));
            }
        }
    }
}

mod marks {
    use super::*;
    use crate::tensors::store::marks::{Marked, Marker, MAX_MARKED};

    const MARK: Mark = Mark { task: 1, content: TensorId([1; 32]) };
    const OTHER: Mark = Mark { task: 2, content: TensorId([2; 32]) };

    /// Downloads a tensor whose pieces come under these marks.
    fn download(home: &Arc<Store>, sample: &Sample, marks: &[Option<Mark>]) {
        let download = home.download(sample.outline.clone()).unwrap();
        for (index, mark) in (0..).zip(marks) {
            download.accept(index, sample.piece(index), *mark).unwrap();
        }
        if download.is_complete() {
            download.finish().unwrap();
        }
    }

    #[test]
    fn an_operators_mark_is_there_before_the_tensor_and_after_a_restart() {
        let folder = TempDir::new().unwrap();
        let (first, second) = (Sample::bytes(100, 1), Sample::bytes(100, 2));
        let home = open(&folder, PLENTY);
        for id in [first.id, second.id] {
            home.restrict(&id, MARK).unwrap();
        }
        put(&home, &first);
        drop(home);
        let home = open(&folder, PLENTY);
        for id in [first.id, second.id] {
            assert_eq!(home.marks(&id), Some(vec![MARK]));
        }
        assert!(home.holding(&first.id).unwrap().restricted);
        home.unrestrict(&first.id).unwrap();
        assert!(!home.holding(&first.id).unwrap().restricted);
        drop(home);
        assert_eq!(open(&folder, PLENTY).marks(&first.id), None);
    }

    #[test]
    fn how_the_bytes_come_says_for_whom_they_are() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        for (seed, (came, marks)) in (1..).zip([
            ([None, None, None], None),
            ([Some(MARK), Some(MARK), Some(MARK)], Some(vec![MARK])),
            // One piece is enough.
            ([None, None, Some(MARK)], Some(vec![MARK])),
            ([Some(MARK), None, None], Some(vec![MARK])),
            // Nobody is entitled by both.
            ([Some(MARK), Some(OTHER), None], Some(vec![])),
            ([Some(MARK), Some(OTHER), Some(MARK)], Some(vec![])),
        ]) {
            let sample = Sample::bytes(2 * PIECE + 5, seed);
            // An order alone marks nothing.
            assert!(home.order(&sample.id, OTHER));
            download(&home, &sample, &came);
            assert_eq!((home.has(&sample.id), home.marks(&sample.id)), (true, marks.clone()));
            assert_eq!(home.holding(&sample.id).unwrap().restricted, marks.is_some());
        }
    }

    #[test]
    fn a_mark_is_on_the_disk_before_the_piece() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(2 * PIECE, 1);
        download(&open(&folder, PLENTY), &sample, &[Some(MARK)]);
        let home = open(&folder, PLENTY);
        assert_eq!(home.marks(&sample.id), Some(vec![MARK]));
        // The rest is asked for in the same way, and whatever comes openly now, it stays restricted.
        assert_eq!(home.orders(&sample.id), [MARK]);
        download(&home, &sample, &[None, None]);
        assert!(home.has(&sample.id));
        assert_eq!(home.marks(&sample.id), Some(vec![MARK]));
    }

    #[test]
    fn what_was_wrong_or_a_duplicate_marks_nothing() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let sample = Sample::bytes(2 * PIECE, 1);
        let download = home.download(sample.outline.clone()).unwrap();
        download.accept(0, sample.piece(0), None).unwrap();
        assert!(matches!(download.accept(1, sample.piece(0), Some(MARK)).unwrap(), Arrival::Wrong));
        assert!(matches!(download.accept(0, sample.piece(0), Some(MARK)).unwrap(), Arrival::Duplicate));
        assert_eq!(home.marks(&sample.id), None);
        // Nor does what comes when it is here already, or was given up.
        put(&home, &sample);
        download.accept(1, sample.piece(1), Some(MARK)).unwrap();
        assert_eq!(home.marks(&sample.id), None);
    }

    #[test]
    fn how_it_came_is_forgotten_with_it() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let samples = [1, 2, 3].map(|seed| Sample::bytes(PIECE + 1, seed));
        for sample in &samples {
            download(&home, sample, &[Some(MARK), Some(MARK)]);
            home.remove(&sample.id).unwrap();
        }
        download(&home, &samples[0], &[None, None]);
        put(&home, &samples[1]);
        assert_eq!((home.marks(&samples[0].id), home.marks(&samples[1].id)), (None, None));
        drop(home);
        assert_eq!(open(&folder, PLENTY).marks(&samples[2].id), None);
    }

    #[test]
    fn how_it_came_goes_with_the_last_of_it() {
        let folder = TempDir::new().unwrap();
        let samples = [1, 2, 3, 4].map(|seed| Sample::bytes(PIECE + 1, seed));
        let home = open(&folder, 5 * footprint(&samples[0]) / 2);
        download(&home, &samples[0], &[Some(MARK), Some(MARK)]);
        home.remove(&samples[0].id).unwrap();
        download(&home, &samples[1], &[Some(MARK)]);
        home.give_up(&samples[1].id);
        // The third makes way for the fourth and the first.
        download(&home, &samples[2], &[Some(MARK), Some(MARK)]);
        download(&home, &samples[3], &[Some(MARK), Some(MARK)]);
        download(&home, &samples[0], &[Some(OTHER), Some(OTHER)]);
        let marks = samples.each_ref().map(|sample| home.marks(&sample.id));
        assert_eq!(marks, [Some(vec![OTHER]), None, None, Some(vec![MARK])]);
        damage(&held_file(&folder, &samples[3]), 100);
        home.index.lock().doubt(&samples[3].id);
        check_all(&home);
        assert_eq!((home.has(&samples[3].id), home.marks(&samples[3].id)), (false, None));
        assert_eq!(files_in(&folder, "restricted"), 1);
    }

    #[test]
    fn nobodys_marks_crowd_out_anothers() {
        let folder = TempDir::new().unwrap();
        let (made, sample) = (Sample::bytes(100, 1), Sample::bytes(100, 2));
        let home = open(&folder, PLENTY);
        home.restrict(&made.id, MARK).unwrap();
        let id = |number: usize| {
            let mut id = [9; 32];
            id[..8].copy_from_slice(&number.to_le_bytes());
            TensorId(id)
        };
        let came = |home: &Store, by: Marker, is_here: bool| {
            let mut index = home.index.lock();
            for id in (0..MAX_MARKED).map(id) {
                if is_here {
                    index.insert(id, sample.header, Arc::default(), true);
                }
                index.marks.insert(id, Marked { marks: vec![OTHER], by });
            }
        };
        // The members of a bundle came, all of them restricted.
        for is_here in [false, true] {
            came(&home, Marker::Job, is_here);
            download(&home, &sample, &[Some(MARK)]);
            assert_eq!((home.has(&sample.id), home.marks(&sample.id)), (true, Some(vec![MARK])));
            home.remove(&sample.id).unwrap();
            assert_eq!(
                home.marks(&made.id),
                Some(vec![MARK]),
                "what the operator said before it came is not forgotten"
            );
        }
        // With as many of the operator's, the next one is refused, and none is forgotten.
        came(&home, Marker::Operator, false);
        assert!(matches!(home.restrict(&sample.id, MARK), Err(Error::MarksFull(_))));
        home.restrict(&made.id, OTHER).unwrap();
        download(&home, &sample, &[Some(MARK)]);
        let marks = [&made, &sample].map(|sample| home.marks(&sample.id).unwrap());
        assert_eq!(marks, [vec![MARK, OTHER], vec![MARK]]);
        assert_eq!(home.index.lock().marks.len(), MAX_MARKED + 2);
    }

    #[test]
    fn an_operators_mark_does_not_grow_old() {
        let folder = TempDir::new().unwrap();
        let id = Sample::bytes(100, 1).id;
        open(&folder, PLENTY).restrict(&id, MARK).unwrap();
        let file = fs::File::open(folder.path().join("restricted").join(hex::encode(id.0))).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(open(&folder, PLENTY).marks(&id), Some(vec![MARK]));
    }

    #[test]
    fn what_the_node_makes_itself_is_open_however_it_came_before() {
        let folder = TempDir::new().unwrap();
        let (held, partial, operators) = (Sample::bytes(100, 1), Sample::bytes(2 * PIECE, 2), Sample::bytes(100, 3));
        let home = open(&folder, PLENTY);
        download(&home, &held, &[Some(MARK)]);
        download(&home, &partial, &[Some(MARK)]);
        download(&home, &operators, &[Some(MARK)]);
        home.restrict(&operators.id, MARK).unwrap();
        assert_eq!((home.came_under(&held.id), home.came_under(&operators.id)), (Some(MARK), None));
        for sample in [&held, &partial, &operators] {
            assert!(home.marks(&sample.id).is_some());
            home.put(sample.header, &sample.data).unwrap();
        }
        let marks = |home: &Store| [&held, &partial, &operators].map(|sample| home.marks(&sample.id));
        assert_eq!(marks(&home), [None, None, Some(vec![MARK])]);
        assert!(!home.holding(&held.id).unwrap().restricted);
        drop(home);
        assert_eq!(marks(&open(&folder, PLENTY)), [None, None, Some(vec![MARK])]);
    }

    #[test]
    fn orders_change_nothing_about_what_is_here() {
        let folder = TempDir::new().unwrap();
        let (public, marked, wanted) = (Sample::bytes(100, 1), Sample::bytes(100, 2), Sample::bytes(100, 3));
        let home = open(&folder, PLENTY);
        home.restrict(&marked.id, MARK).unwrap();
        // The operator says as what it may be asked for.
        assert!(!home.order(&marked.id, OTHER) && home.order(&marked.id, MARK));
        assert_eq!(home.orders(&marked.id), [MARK]);
        put(&home, &public);
        put(&home, &marked);
        assert!(!home.order(&public.id, MARK) && !home.order(&marked.id, OTHER) && home.order(&marked.id, MARK));
        assert_eq!((home.marks(&public.id), home.marks(&marked.id)), (None, Some(vec![MARK])));
        // The latest first, each once, and not without end.
        for task in [7, 8, 7] {
            assert!(home.order(&wanted.id, Mark { task, ..MARK }));
        }
        assert_eq!(home.orders(&wanted.id).iter().map(|mark| mark.task).collect::<Vec<_>>(), [7, 8]);
        home.forget_orders(&wanted.id);
        assert_eq!(home.orders(&wanted.id), []);
        // The operator may restrict what is here, and for further tasks.
        home.restrict(&public.id, MARK).unwrap();
        home.restrict(&marked.id, OTHER).unwrap();
        assert_eq!((home.marks(&public.id), home.marks(&marked.id)), (Some(vec![MARK]), Some(vec![MARK, OTHER])));
    }

    #[test]
    fn later_orders_push_out_none_that_stands() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let (id, now) = (Sample::bytes(100, 1).id, Instant::now());
        let mark = |task| Mark { task, content: id };
        let mut taken = 0;
        while home.order_at(&id, mark(taken), now) {
            taken += 1;
        }
        assert!((1000..2000).contains(&taken), "{taken}");
        let ordered = || home.orders(&id).iter().map(|mark| mark.task).collect::<Vec<_>>();
        assert_eq!(ordered(), (0..taken).rev().collect::<Vec<_>>());
        // All but the second are given again, and so are the new ones.
        let next = now + Duration::from_secs(50);
        assert!((0..taken).filter(|task| *task != 1).all(|task| home.order_at(&id, mark(task), next)));
        assert!(!home.order_at(&id, mark(taken), next));
        let last = now + Duration::from_secs(70);
        assert!(home.order_at(&id, mark(taken), last) && !home.order_at(&id, mark(taken + 1), last));
        assert!(!ordered().contains(&1) && ordered().contains(&0));
        assert_eq!(ordered().len(), taken as usize);
    }

    #[test]
    fn what_has_a_restricted_member_is_restricted() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let (member, other) = (Sample::bytes(100, 1), Sample::bytes(100, 2));
        let bundle = Sample::bundle(&[&member, &other]);
        download(&home, &member, &[Some(MARK)]);
        for sample in [&other, &bundle] {
            put(&home, sample);
        }
        let restricted = |sample: &Sample| home.holding(&sample.id).unwrap().restricted;
        assert_eq!([&member, &other, &bundle].map(restricted), [true, false, true]);
    }

    #[test]
    fn it_is_known_whether_all_of_it_is_served_to_those_who_are_entitled() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let members = [1, 2].map(|seed| Sample::bytes(100, seed));
        let bundle = Sample::bundle(&[&members[0], &members[1]]);
        let serves = |mark| home.serves(&bundle.id, &mark);
        assert_eq!(serves(MARK), None, "it is not here");
        put(&home, &members[0]);
        download(&home, &bundle, &[Some(MARK)]);
        assert_eq!((serves(MARK), serves(OTHER)), (Some(true), Some(false)));
        // A member that came for another task is served to nobody who is entitled to this one.
        download(&home, &members[1], &[Some(OTHER)]);
        assert_eq!((serves(MARK), serves(OTHER)), (Some(false), Some(false)));
        home.restrict(&members[1].id, MARK).unwrap();
        assert_eq!((serves(MARK), serves(OTHER)), (Some(true), Some(false)));
        home.unrestrict(&bundle.id).unwrap();
        home.unrestrict(&members[1].id).unwrap();
        assert_eq!((serves(MARK), serves(OTHER)), (Some(true), Some(true)), "it is open");
    }

    #[test]
    fn as_what_it_came_is_known_and_can_be_taken_back_but_not_what_the_operator_says() {
        let folder = TempDir::new().unwrap();
        let home = open(&folder, PLENTY);
        let (first, both) = (Sample::bytes(100, 1), Sample::bytes(2 * PIECE, 2));
        let bundle = Sample::bundle(&[&first, &both]);
        download(&home, &first, &[Some(MARK)]);
        download(&home, &both, &[Some(MARK), Some(OTHER)]);
        assert_eq!(home.came_as(&bundle.id), None, "it is not here");
        put(&home, &bundle);
        assert_eq!(home.came_as(&bundle.id), Some(vec![MARK, OTHER]));
        assert_eq!((home.marks(&first.id), home.marks(&both.id)), (Some(vec![MARK]), Some(vec![])));

        // Not while another counts by which it came too.
        home.came_openly(&both.id, &[OTHER]).unwrap();
        assert_eq!(home.marks(&both.id), Some(vec![]));
        home.came_openly(&both.id, &[OTHER, MARK]).unwrap();
        assert_eq!((home.marks(&both.id), home.came_as(&bundle.id)), (None, Some(vec![MARK])));
        home.restrict(&first.id, OTHER).unwrap();
        assert_eq!(home.came_as(&bundle.id), None);
        home.came_openly(&first.id, &[MARK, OTHER]).unwrap();
        assert_eq!(home.marks(&first.id), Some(vec![MARK, OTHER]));
        // What came for two tasks is for those alone whom the operator names.
        let third = Sample::bytes(2 * PIECE, 3);
        download(&home, &third, &[Some(MARK), Some(OTHER)]);
        home.restrict(&third.id, MARK).unwrap();
        assert_eq!(home.marks(&third.id), Some(vec![MARK]));
    }

    #[test]
    fn a_damaged_mark_restricts_to_nobody() {
        let folder = TempDir::new().unwrap();
        let sample = Sample::bytes(100, 1);
        let home = open(&folder, PLENTY);
        home.restrict(&sample.id, MARK).unwrap();
        drop(home);
        std::fs::write(folder.path().join("restricted").join(hex::encode(sample.id.0)), [1, 2]).unwrap();
        assert_eq!(open(&folder, PLENTY).marks(&sample.id), Some(vec![]));
    }
}

mod made {
    use super::*;

    #[test]
    fn what_is_put_is_held_and_read_back_in_pieces() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(2 * PIECE + 5, 1);
        for _ in 0..2 {
            assert_eq!(store.put(sample.header, &sample.data).unwrap(), sample.outline);
            assert_consistent(&folder, &store);
            assert_eq!((store.usage().tensors, files_in(&folder, "uploads")), (1, 0));
        }
        assert!(store.holding(&sample.id).unwrap().is_verified());
        let mut read = Vec::new();
        store.read_pieces(&sample.id, |piece| read.extend_from_slice(piece)).unwrap();
        assert!(read == sample.data);
    }

    #[test]
    fn an_upload_of_the_same_tensor_goes_on() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(5000, 1);
        let encoding = sample.encoding();
        let (first, rest) = encoding.split_at(100);
        assert!(!store.upload(Uploader::Operator, sample.id, 0, first).unwrap().is_complete());
        store.put(sample.header, &sample.data).unwrap();
        assert_consistent(&folder, &store);
        assert!(store.upload(Uploader::Operator, sample.id, 100, rest).unwrap().is_complete());
        assert_eq!(read(&store, &sample), sample.encoding());
    }

    #[test]
    fn what_has_no_room_or_is_not_valid_leaves_nothing() {
        let folder = TempDir::new().unwrap();
        let (small, large) = (Sample::bytes(100, 1), Sample::bytes(PIECE, 2));
        let store = open(&folder, footprint(&small) + 1);
        assert!(matches!(store.put(large.header, &large.data), Err(Error::StoreFull { .. })));
        assert!(matches!(store.put(small.header, &large.data), Err(Error::Invalid(_))));
        let no_bundle = Header::new(Kind::Bundle, 3, 1).unwrap();
        assert!(matches!(store.put(no_bundle, &[9, 9, 9]), Err(Error::Invalid(_))));
        assert_eq!((store.usage().bytes, files_in(&folder, "uploads")), (0, 0));
        store.put(small.header, &small.data).unwrap();
        assert_consistent(&folder, &store);
    }

    #[test]
    fn a_damaged_file_is_not_read() {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, PLENTY);
        let sample = Sample::bytes(2 * PIECE, 1);
        put(&store, &sample);
        damage(&held_file(&folder, &sample), 16 + PIECE);
        let mut pieces = 0;
        assert!(matches!(store.read_pieces(&sample.id, |_| pieces += 1), Err(Error::Damaged(id)) if id == sample.id));
        assert_eq!((pieces, store.has(&sample.id)), (1, false));
    }
}
