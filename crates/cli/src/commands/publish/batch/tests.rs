use super::*;

/// What each call takes of lines of these lengths, of which each was received alone.
async fn check(lengths: &[usize], expected: &[&[usize]]) {
    let (sender, pieces) = mpsc::channel(lengths.len());
    for (number, bytes) in (1..).zip(lengths) {
        let item = Item {
            number,
            bytes: *bytes,
            request: Err(Error::invalid("the line says nothing")),
        };
        sender.try_send(Ok(vec![item])).unwrap();
    }
    drop(sender);
    let mut batch = Batch {
        pieces,
        rest: Vec::new(),
        end: None,
    };
    let mut calls = Vec::new();
    while let Some(items) = batch.next().await.unwrap() {
        calls.push(items.iter().map(|item| item.bytes).collect::<Vec<_>>());
    }
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_call_takes_so_many_lines_and_bytes_at_most() {
    const LONGEST: usize = MAX_REQUEST_BYTES;
    check(
        &[LONGEST; 5],
        &[&[LONGEST; 2][..], &[LONGEST; 2], &[LONGEST]],
    )
    .await;
    check(
        &[1, LONGEST, LONGEST, 2],
        &[&[1, LONGEST][..], &[LONGEST, 2]],
    )
    .await;
    check(&[1; 2001], &[&[1; 1000][..], &[1; 1000], &[1]]).await;
}
