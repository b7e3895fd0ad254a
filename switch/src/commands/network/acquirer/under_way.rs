//! Many things at once, none of which is abandoned.

use std::future::Future;
use std::pin::pin;

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

/// Requests under way at once: as many as the switch works on for one connection.
const UNDER_WAY_MAX: usize = 64;

/// Gives what comes of the items to `each`, in their order. Once it is to stop, or an item has failed, none is begun
/// any more, and those under way are finished. Gives the first error; others are printed.
pub async fn finish<T, F>(
    items: impl Iterator<Item = F>,
    stop: &CancellationToken,
    mut each: impl FnMut(T),
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let begun = stream::iter(items).take_until(stop.cancelled());
    let mut outcomes = pin!(begun.buffered(UNDER_WAY_MAX));
    let mut result = Ok(());
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(outcome) => each(outcome),
            Err(error) if result.is_ok() => {
                stop.cancel();
                result = Err(error);
            }
            Err(error) => eprintln!("umbra: {error:#}"),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[tokio::test]
    async fn after_an_error_what_is_under_way_is_finished_and_nothing_begun() {
        let items = (0..1_000).map(|number| async move {
            tokio::task::yield_now().await;
            match number {
                10 | 11 => bail!("item {number} failed"),
                _ => Ok(number),
            }
        });
        let mut done = Vec::new();
        let error = finish(items, &CancellationToken::new(), |number| done.push(number)).await.unwrap_err();
        assert_eq!(error.to_string(), "item 10 failed");
        assert_eq!(done[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]);
        assert!((62..=128).contains(&done.len()), "{}", done.len());
    }

    #[tokio::test]
    async fn once_stopped_nothing_is_begun() {
        let stop = CancellationToken::new();
        let items = (0..1_000).map(|number| async move { Ok(number) });
        let mut done = 0;
        finish(items, &stop, |_| {
            stop.cancel();
            done += 1;
        })
        .await
        .unwrap();
        assert!((1..=128).contains(&done), "{done}");
    }
}
