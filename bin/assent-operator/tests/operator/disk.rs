//! A disk that is full: nothing is signed, nothing is lost, and it goes on when there is space.

use std::{fs, path::Path};

use assent_network::message::RefusalCode;

use crate::{
    fixture::{Fixture, Result},
    gateway::TestGateway,
    process::succeeded,
    small_disk::SmallDisk,
};

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| "a path".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_signing_until_there_is_space() -> Result {
    let fixture = Fixture::new().await?;
    let Some(disk) = SmallDisk::mount(fixture.path("disk"))? else {
        eprintln!("skipped: this needs the right to mount a tmpfs; run it as root");
        return Ok(());
    };
    let domain = fixture.domain();
    let gateway = TestGateway::start(domain, fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, "")?;
    let (journal, evidence, marker) =
        (disk.path.join("journal.redb"), disk.path.join("evidence"), disk.path.join("marker"));
    let flags = ["--journal", text(&journal)?, "--evidence", text(&evidence)?, "--marker", text(&marker)?];
    succeeded(&fixture.command(&[&["journal", "create"][..], &flags].concat()).output()?);
    let process = fixture.run_with(&flags)?;
    gateway.connected(1).await?;
    let before = fixture.task(1, 1).await?;
    gateway.offer(&before);
    let signature = gateway.signature(before.id(domain)).await?;

    let filler = disk.fill()?;
    let refused = fixture.task(2, 1).await?;
    gateway.offer(&refused);
    let refusal = gateway.refusal(refused.id(domain)).await?;
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Unavailable, true), "{}", refusal.message);
    assert!(gateway.signatures(refused.id(domain)).is_empty());

    fs::remove_file(filler)?;
    gateway.offer(&refused);
    gateway.signature(refused.id(domain)).await?;

    // Nothing of before is lost, also after a crash with a full disk.
    let filler = disk.fill()?;
    drop(process);
    fs::remove_file(filler)?;
    let gateway = TestGateway::start(domain, fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, "")?;
    let process = fixture.run_with(&flags)?;
    gateway.connected(1).await?;
    gateway.offer(&before);
    assert_eq!(gateway.signature(before.id(domain)).await?, signature);
    assert!(process.terminate()?);
    let export = succeeded(&fixture.command(&[&["journal", "export"][..], &flags].concat()).output()?);
    for task in [&before, &refused] {
        assert_eq!(export.matches(&task.id(domain).to_string()).count(), 1);
    }
    Ok(())
}
