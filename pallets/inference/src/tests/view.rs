use ensemble_core::inference::{RangeVote, SessionPhase};
use frame_support::assert_ok;

use crate::{fixture::World, mock::*};

#[test]
fn a_session_is_shown_as_it_goes() {
    with_workers(3, |_| {
        let world = World::honest();
        let id = open(question());
        let phase = || Inference::session_view(id).unwrap().phase;
        assert_eq!(phase(), SessionPhase::Open { assign_at: 1 + ASSIGN_DELAY });
        run_to_assigned(id);
        let SessionPhase::Assigned { workers, .. } = phase() else { panic!("not assigned") };
        assert_eq!(workers.iter().map(|party| party.account).collect::<Vec<_>>(), team(id));
        close(id, world.closing());
        assert!(matches!(phase(), SessionPhase::Voting { votes, .. } if votes.is_empty()));
        next_block();
        let SessionPhase::Voting { votes, .. } = phase() else { panic!("not voting") };
        let tasks: Vec<_> = votes_on(id).into_iter().map(|(_, task)| RangeVote::Open(task)).collect();
        assert_eq!(votes, tasks);
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        assert!(matches!(phase(), SessionPhase::Disputable { closing, .. } if closing == world.closing()));
        assert_eq!(Inference::session_views(0, 10).len(), 1);
        assert_eq!(Inference::session_views(1, 10), []);
        run_to_end(id);
        assert_eq!(Inference::session_view(id), None);
    });
}

#[test]
fn models_and_workers_are_shown() {
    with_workers(3, |model| {
        let view = Inference::model_view(model).unwrap();
        assert_eq!((view.id, view.workers, view.task), (model, 4, TASK));
        assert_eq!(Inference::model_views(0, 10), [view]);
        assert_eq!(Inference::model_views(1, 10), []);
        let worker = Inference::worker_of_key(&key(WORKERS[1])).unwrap();
        assert_eq!((worker.party.account, worker.bond, worker.model), (WORKERS[1], BOND, model));
        assert_eq!(worker.pledged, 0);
        let id = open(question());
        assert_eq!(Inference::worker_view(GATEWAY).map(|worker| worker.pledged), Some(session(id).price));
        assert_eq!(Inference::worker_view(STRANGER), None);
        let accounts = |first, limit| -> Vec<_> {
            Inference::worker_views(model, first, limit).into_iter().map(|worker| worker.party.account).collect()
        };
        assert_eq!(accounts(0, 10), [GATEWAY, WORKERS[0], WORKERS[1], WORKERS[2]]);
        assert_eq!(accounts(1, 2), [WORKERS[0], WORKERS[1]]);
        assert_ok!(Inference::leave(signed(WORKERS[0])));
        assert_eq!(accounts(0, 10), [GATEWAY, WORKERS[2], WORKERS[1]]);
        assert!(Inference::worker_view(WORKERS[0]).unwrap().leaves_at.is_some());
    });
}
