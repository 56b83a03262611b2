//! kill -9 at any moment: an operator never signs two statements about one task.

use std::{collections::BTreeMap, time::Duration};

use assent_network::{Task, message::RefusalCode};
use assent_types::Decision;
use assent_verifier::digest::attestation_digest;
use tokio::time::sleep;

use crate::{
    fixture::{Fixture, Result},
    gateway::TestGateway,
    process::{failed, succeeded},
};

/// The rounds. Each kills the process at another moment after it was offered tasks.
const ROUNDS: u64 = 6;
/// The tasks that are new in each round.
const TASKS: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_operator_repeats_what_it_signed_and_signs_nothing_else() -> Result {
    let fixture = Fixture::new().await?;
    let domain = fixture.domain();
    let mut tasks: Vec<Task> = Vec::new();
    let mut signatures: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for round in 0..ROUNDS {
        // A gateway that forgets everything, too.
        let gateway = TestGateway::start(domain, fixture.epoch.clone()).await?;
        fixture.configure(gateway.address, "")?;
        let mut process = fixture.run()?;
        gateway.connected(1).await?;
        for task in 0..TASKS {
            tasks.push(fixture.task(round * TASKS + task, 1).await?);
        }
        tasks.iter().for_each(|task| gateway.offer(task));
        // The first round is killed at once, the last one when all is signed.
        if round + 1 == ROUNDS {
            for task in &tasks {
                gateway.signature(task.id(domain)).await?;
            }
        } else {
            sleep(Duration::from_millis(round * 40)).await;
        }
        process.kill()?;
        for task in &tasks {
            signatures.entry(task.id(domain)).or_default().extend(gateway.signatures(task.id(domain)));
        }
    }
    for (task_id, signatures) in &signatures {
        assert!(!signatures.is_empty() && signatures.iter().all(|one| *one == signatures[0]), "{task_id}");
    }

    // Another proposal with the same id is another statement: the journal refuses it after the restart.
    let gateway = TestGateway::start(domain, fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, "")?;
    let process = fixture.run()?;
    gateway.connected(1).await?;
    let other = Task { expiration: tasks[0].expiration + 1, ..tasks[0].clone() };
    gateway.offer(&other);
    let refusal = gateway.refusal(tasks[0].id(domain)).await?;
    assert_eq!(refusal.code, RefusalCode::AlreadySigned, "{}", refusal.message);
    assert!(gateway.signatures(tasks[0].id(domain)).is_empty());

    // While it runs, no one else uses its journal.
    let error = failed(&fixture.command(&["journal", "export"]).output()?);
    assert!(error.contains("is in use"), "{error}");
    assert!(process.terminate()?);

    // The journal has one digest for each task: that of the signed attestation.
    let export = succeeded(&fixture.command(&["journal", "export"]).output()?);
    for task in &tasks {
        let task_id = task.id(domain);
        let evidence = evidence_of(&fixture, task)?;
        let attestation = task.attestation(domain, Decision::Allow, evidence);
        let digest = attestation_digest(&attestation, domain.chain_id, domain.task_manager);
        let entries: Vec<_> = export.lines().filter(|line| line.contains(&task_id.to_string())).collect();
        assert_eq!(entries.len(), 1, "{task_id}");
        assert!(entries[0].contains(&digest.to_string()), "{task_id}: {}", entries[0]);
    }
    Ok(())
}

/// The evidence of a task's decision, computed here.
fn evidence_of(fixture: &Fixture, task: &Task) -> Result<alloy::primitives::B256> {
    let evaluation = assent_policy::evaluate(assent_policy::evaluator()?, &fixture.policy, &task.input(), "")?;
    assert_eq!(evaluation.decision, Decision::Allow);
    Ok(evaluation.evidence.hash())
}
