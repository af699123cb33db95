//! The phone: believes a scanned code only as far as its identity's signature goes.

use std::time::Duration;

use pulse_trust::pairing::PairingCode;
use pulse_trust::relay::{
    AppHandshake, Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, ProxyRequest, ProxyResponse,
};
use tokio_tungstenite::connect_async;

use crate::Failure;
use crate::runtime::{next_frame, send};

/// What the phone got.
pub(crate) struct Fetched {
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Pairs with a scanned code and fetches a path through the channel.
pub(crate) async fn pair_and_fetch(scanned: &str, path: &str) -> Result<Fetched, Failure> {
    let work = async {
        let code = PairingCode::parse(scanned)?;
        let identity = code.require_identity()?;
        let (mut socket, _) = connect_async(code.relay_url()).await.map_err(Failure::from_error)?;
        let connect = Connect {
            instance_id: code.instance_id().to_owned(),
            auth_token: code.secret_auth_token().to_owned(),
            platform: "journey".to_owned(),
            ..Connect::default()
        };
        send(&mut socket, connect.to_frame(0)?).await?;
        let ack =
            expect(&next_frame(&mut socket).await?, FrameType::ConnectAck, |frame| Ok(ConnectAck::from_frame(frame)?))?;

        let handshake = AppHandshake::start()?;
        let hello = Frame::new(FrameType::KeyExchange, ack.channel_id, handshake.message()).encode()?;
        send(&mut socket, hello).await?;
        let answer = next_frame(&mut socket).await?;
        let mut channel =
            expect(&answer, FrameType::KeyExchange, |frame| Ok(handshake.finish(frame.payload, identity)?))?;

        let request =
            ProxyRequest { id: "1".to_owned(), method: "GET".to_owned(), path: path.to_owned(), ..Default::default() };
        let sealed = channel.seal(request.to_json()?.as_bytes())?;
        send(&mut socket, Frame::new(FrameType::Data, ack.channel_id, &sealed).encode()?).await?;
        let answer = next_frame(&mut socket).await?;
        let response =
            expect(&answer, FrameType::Data, |frame| Ok(ProxyResponse::from_json(&channel.open(frame.payload)?)?))?;
        Ok(Fetched {
            fingerprint: identity.fingerprint(),
            status: response.status,
            body: String::from_utf8_lossy(response.body.as_bytes()).into_owned(),
        })
    };
    tokio::time::timeout(Duration::from_secs(30), work).await.map_err(|_| Failure::new("no answer within 30 s"))?
}

fn expect<T>(
    bytes: &[u8],
    expected: FrameType,
    read: impl FnOnce(&Frame<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let frame = Frame::decode(bytes)?;
    if frame.frame_type == expected {
        return read(&frame);
    }
    if frame.frame_type == FrameType::Error {
        let error = ErrorMessage::from_frame(&frame)?;
        return Err(Failure::new(format!("{}: {}", error.code, error.message)));
    }
    Err(Failure::new(format!("expected {expected}, received {}", frame.frame_type)))
}
