//! The server. It speaks HTTP/1.1 without TLS, which is left to a proxy in front of it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    body::{Bytes, Incoming},
    header::{HeaderValue, CONTENT_TYPE, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
    Method, Request, Response, StatusCode,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, Semaphore},
    time::timeout,
};

use super::{counter::Counter, refusal::Refused};
use crate::visit;

/// Connections at one time; further ones are closed at once.
const MAX_CONNECTIONS: usize = 256;
/// Most bytes of a request's line and headers.
const MAX_HEAD: usize = 16 << 10;
/// How long the head of a request may take, also the next one's of a connection that is kept open.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long the body may take after that.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How long it is waited before the next attempt when the system gives no connection.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `end` says so; then for as long as requests are being answered, but not longer than `patience`.
pub async fn serve(
    listener: TcpListener,
    counter: Arc<Counter>,
    max_request: usize,
    patience: Duration,
    mut end: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut end => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if let Ok(permit) = connections.clone().try_acquire_owned() {
            let connection = graceful.watch(connection(stream, counter.clone(), max_request));
            tokio::spawn(async move {
                // That a client goes away is its own affair.
                let _ = connection.await;
                drop(permit);
            });
        }
    }
    drop(listener);
    // Who has not been answered by then is cut off.
    let _ = timeout(patience, graceful.shutdown()).await;
}

fn connection(
    stream: TcpStream,
    counter: Arc<Counter>,
    max_request: usize,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request| {
        let counter = counter.clone();
        async move { Ok::<_, Infallible>(respond(&counter, request, max_request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}

async fn respond(counter: &Counter, request: Request<Incoming>, max_request: usize) -> Response<Full<Bytes>> {
    match answer(counter, request, max_request).await {
        Ok(answer) => response(StatusCode::OK, &answer),
        Err(refused) => {
            let mut response = response(refused.status, &refused.body());
            if let Some(wait) = refused.retry_after {
                let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        },
    }
}

/// Answers a request: POST with a call, at any path, because a proxy may have put the endpoint under one; GET at one that
/// ends with `/health`.
async fn answer(counter: &Counter, request: Request<Incoming>, max_request: usize) -> Result<Value, Refused> {
    match *request.method() {
        Method::POST => {
            let visit = request.headers().get(visit::HEADER).and_then(|header| header.to_str().ok()).map(str::to_owned);
            let body = body(request.into_body(), max_request).await?;
            counter.answer(visit.as_deref(), &body).await
        },
        Method::GET if request.uri().path().ends_with("/health") => counter.health().await,
        Method::GET => Err(Refused::new(StatusCode::NOT_FOUND, "there is nothing here", "send calls by POST")),
        _ => Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not known", "send calls by POST")),
    }
}

/// The body of a request, of which no more is read than may be.
async fn body(body: Incoming, most: usize) -> Result<Bytes, Refused> {
    let read = timeout(BODY_PATIENCE, Limited::new(body, most).collect()).await.map_err(|_| {
        Refused::new(StatusCode::REQUEST_TIMEOUT, "the body of the request comes too slowly", "send it at once")
    })?;
    match read {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body of the request is larger than {most} bytes");
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message, "send less"))
        },
        Err(error) => Err(Refused::bad_request(format!("the body of the request: {error}"), "send it again")),
    }
}

fn response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
