//! An operator signs decisions, keeps the evidence, and shows it.

use assent_network::gateway::TaskOutcome;
use assent_policy::{EvidenceFile, Replay, evaluator};
use assent_types::Decision;

use crate::{
    fixture::{Fixture, Result},
    gateway::TestGateway,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_signs_what_the_policy_decides_and_serves_the_evidence() -> Result {
    let fixture = Fixture::new().await?;
    let gateway = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, "")?;
    let process = fixture.run()?;
    gateway.connected(1).await?;

    for (nonce, amount, expected) in [(1, 500, Decision::Allow), (2, 501, Decision::Deny)] {
        let task = fixture.task(nonce, amount).await?;
        // The gateway has verified the aggregate as the vault would.
        let TaskOutcome::Attested { document, .. } = gateway.decide(fixture.accepted(task.clone())).await? else {
            return Err("no attestation".into());
        };
        let attestation = &document.attestation;
        assert_eq!(attestation.decision, u8::from(expected));
        assert_eq!(attestation.taskId, task.id(fixture.domain()));
        let (status, file) = process.get(&format!("/evidence/{}", attestation.evidence)).await?;
        assert_eq!(status, 200);
        let file = EvidenceFile::parse(file.as_bytes())?;
        let Replay::Follows(evaluation) = file.replay(evaluator()?)? else { return Err("it does not follow".into()) };
        assert_eq!((evaluation.decision, evaluation.evidence.hash()), (expected, attestation.evidence));
    }

    let (status, health) = process.get("/healthz").await?;
    assert_eq!(status, 200, "{health}");
    assert!(health.contains(&format!(r#""connected":["{}"]"#, gateway.address)), "{health}");
    let (_, metrics) = process.get("/metrics").await?;
    for expected in [
        "assent_operator_decisions_total{decision=\"allow\"} 1",
        "assent_operator_decisions_total{decision=\"deny\"} 1",
        "assent_operator_gateways 1",
        "assent_operator_panics_total 0",
    ] {
        assert!(metrics.contains(expected), "{expected}\n{metrics}");
    }
    let page = std::fs::read_to_string(crate::configuration::PAGE)?;
    let (_, table) = page.split_once("<!-- metrics -->").ok_or("a table")?;
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let names: Vec<_> =
        types.map(|(name, kind)| format!("{name}{}", if kind == "counter" { "_total" } else { "" })).collect();
    for name in &names {
        assert!(table.contains(&format!("\n| `{name}` |")), "docs/operate.md lacks {name}");
    }
    assert_eq!(table.matches("\n| `assent_operator_").count(), names.len(), "docs/operate.md has another metric");
    let unknown = format!("/evidence/0x{}", "00".repeat(32));
    assert_eq!(process.get(&unknown).await?.0, 404);
    assert_eq!(process.get("/evidence/latest").await?.0, 400);
    assert!(process.terminate()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_connects_again_after_its_gateway_was_gone() -> Result {
    let fixture = Fixture::new().await?;
    // No one is there yet.
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    fixture.configure(address, "")?;
    let process = fixture.run()?;
    assert_eq!(process.get("/healthz").await?.0, 503);
    let gateway = TestGateway::start_at(fixture.domain(), fixture.epoch.clone(), address).await?;
    gateway.connected(1).await?;
    let task = fixture.task(1, 1).await?;
    assert!(matches!(gateway.decide(fixture.accepted(task)).await?, TaskOutcome::Attested { .. }));
    Ok(())
}
