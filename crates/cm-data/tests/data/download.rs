//! Against a server on this machine that does what bad servers do.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use cm_data::{Limits, RemoteFile, download};

use crate::helper::{gzip, idx_bytes};

/// How the server answers.
#[derive(Clone, Copy)]
enum Answer {
    Whole,
    /// Half of the announced bytes.
    Truncated,
    /// Half of the bytes, and no announcement: only the content can tell.
    TruncatedSilently,
    /// Whole, but another file.
    Other,
    /// Not gzip and not IDX.
    Page,
    /// Half, and then nothing for longer than anyone waits.
    Stalls,
    NotFound,
    /// Announces more than any disk holds.
    TooLarge,
    /// Never stops, and never said how much it is.
    Endless,
}

fn content() -> Vec<u8> {
    let labels: Vec<u8> = (0..5000).map(|i| (i * 7 % 10) as u8).collect();
    idx_bytes(0x801, &[5000], &labels)
}

/// md5sum of [`content`].
const FILE: RemoteFile =
    RemoteFile { name: "some-labels-idx1-ubyte", md5: "e537ccbef520a7a71a51d3cc7cea4c6a" };

/// Address of a server that answers the next `requests` requests so.
fn serve(answer: Answer, requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mnist/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            // A client that hangs up early is part of the test.
            let _ = reply(stream.unwrap(), answer);
        }
    });
    address
}

fn reply(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut request = [0; 2048];
    let read = stream.read(&mut request)?;
    assert!(String::from_utf8_lossy(&request[..read]).starts_with("GET /mnist/some-labels-idx1-ubyte.gz"));
    let body = match answer {
        Answer::Other => gzip(&idx_bytes(0x801, &[1], &[3])),
        Answer::Page => b"<html>Sign in to this network</html>".to_vec(),
        _ => gzip(&content()),
    };
    let half = &body[..body.len() / 2];
    let head = |status: &str, length: Option<usize>| {
        let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 {status}\r\n{length}Connection: close\r\n\r\n")
    };
    let (head, sent) = match answer {
        Answer::NotFound => (head("404 Not Found", Some(0)), &[][..]),
        Answer::TooLarge => (head("200 OK", Some(1 << 50)), half),
        Answer::TruncatedSilently => (head("200 OK", None), half),
        Answer::Endless => (head("200 OK", None), half),
        Answer::Truncated | Answer::Stalls => (head("200 OK", Some(body.len())), half),
        _ => (head("200 OK", Some(body.len())), &body[..]),
    };
    stream.write_all(head.as_bytes())?;
    stream.write_all(sent)?;
    stream.flush()?;
    match answer {
        Answer::Stalls => thread::sleep(Duration::from_secs(3)),
        Answer::Endless => (0..200).try_for_each(|_| stream.write_all(&[0; 1 << 16]))?,
        _ => {}
    }
    Ok(())
}

fn limits() -> Limits {
    Limits { stall: Duration::from_millis(500), bytes: 1 << 20, ..Limits::default() }
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_whole_file_is_moved_into_place_and_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("new").join("mnist");
    let mirrors = [serve(Answer::Whole, 1)];
    for _ in 0..2 {
        let path = download(&FILE, &mirrors, &into, &limits(), false, &|| true).unwrap();
        assert_eq!(fs::read(path).unwrap(), gzip(&content()));
        assert_eq!(files(&into), ["some-labels-idx1-ubyte.gz"]);
    }
}

#[test]
fn a_bad_answer_leaves_nothing_behind_and_says_what_was_wrong() {
    let cases = [
        (Answer::Truncated, "after"),
        (Answer::TruncatedSilently, "uncompress"),
        (Answer::Other, "is another file: the MD5 sum"),
        (Answer::Page, "is a web page"),
        (Answer::Stalls, "no further byte for 0.5 s"),
        (Answer::NotFound, "404"),
        (Answer::TooLarge, "announces 1125899906842624 bytes"),
        (Answer::Endless, "goes on after 1048576 bytes"),
    ];
    for (answer, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mirror = serve(answer, 1);
        let start = Instant::now();
        let message =
            download(&FILE, std::slice::from_ref(&mirror), folder.path(), &limits(), false, &|| true);
        let message = message.unwrap_err().to_string();
        assert!(message.contains(&mirror) && message.contains(expected), "{expected}: {message}");
        assert!(start.elapsed() < Duration::from_secs(2), "{expected}: gave up after {:?}", start.elapsed());
        assert_eq!(files(folder.path()), [""; 0], "{expected}");
    }
}

#[test]
fn the_next_mirror_is_asked_when_one_fails() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/mnist", listener.local_addr().unwrap())
    };
    let bad =
        [Answer::Truncated, Answer::Other, Answer::Stalls, Answer::NotFound].map(|answer| serve(answer, 1));
    let mut mirrors = vec![closed];
    mirrors.extend(bad);
    mirrors.push(serve(Answer::Whole, 1));
    let folder = tempfile::tempdir().unwrap();
    download(&FILE, &mirrors, folder.path(), &limits(), false, &|| true).unwrap();
    assert_eq!(files(folder.path()), ["some-labels-idx1-ubyte.gz"]);

    let folder = tempfile::tempdir().unwrap();
    let message =
        download(&FILE, &mirrors[..1], folder.path(), &limits(), false, &|| true).unwrap_err().to_string();
    assert!(message.contains("could not be downloaded") && message.contains(&mirrors[0]), "{message}");
}

#[test]
fn two_at_once_both_end_with_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let mirrors = [serve(Answer::Whole, 2)];
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| download(&FILE, &mirrors, folder.path(), &limits(), false, &|| true).unwrap());
        }
    });
    assert_eq!(files(folder.path()), ["some-labels-idx1-ubyte.gz"]);
}

#[test]
fn what_a_killed_download_left_is_removed_but_not_what_may_still_be_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join(".partial-old"), folder.path().join(".partial-new"));
    fs::write(&new, "half").unwrap();
    let long_ago = std::time::SystemTime::now() - limits().total - Duration::from_secs(60);
    fs::File::create(&old).unwrap().set_modified(long_ago).unwrap();
    download(&FILE, &[serve(Answer::Whole, 1)], folder.path(), &limits(), false, &|| true).unwrap();
    assert!(!old.exists() && new.exists());
}

#[cfg(unix)]
#[test]
fn everybody_may_read_a_file_who_may_read_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    let path =
        download(&FILE, &[serve(Answer::Whole, 1)], folder.path(), &limits(), false, &|| true).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&other));
}
