//! Opening and closing: lock, key, settings, tables, and the checks of what is found.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    sync::{Arc, OnceLock},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use semper_supporting::archive::{
    ArchiveId, Change, Direction, Query, Schema, StoreError, head,
    journal::{self, Chain, Head, Line},
};

use crate::{ArchiveKey, Opened, Options, sql};

/// The file of the database.
const DATABASE: &str = "archive.db";
/// The file that keeps a second process out.
const LOCK: &str = "lock";

/// An archive that has been opened and checked.
pub(crate) struct Ready {
    pub(crate) writer: Option<Connection>,
    pub(crate) reader: Connection,
    pub(crate) opened: Opened,
    pub(crate) chain: Chain,
    pub(crate) lock: Option<Arc<File>>,
}

pub(crate) fn open(directory: &Path, schema: &Schema, options: &Options) -> Result<Ready, StoreError> {
    if !options.read_only {
        private_directory(directory)?;
    }
    let lock = lock(directory, options.read_only)?;
    let file = directory.join(DATABASE);
    if options.read_only {
        let reader = connect(&file, options.key.as_ref(), Access::Read)?;
        let (opened, chain) = inspect(&reader, schema, true)?;
        return Ok(Ready { writer: None, reader, opened, chain, lock });
    }
    let connection = connect(&file, options.key.as_ref(), Access::Write)?;
    prepare(&connection, schema, directory)?;
    let clean = meta(&connection, "clean")?.is_none_or(|value| value == [1]);
    if !clean {
        check_file(&connection, options.key.is_some())?;
    }
    set_meta(&connection, "clean", &[0])?;
    let (opened, chain) = inspect(&connection, schema, clean)?;
    let reader = connect(&file, options.key.as_ref(), Access::Read)?;
    let writer = opened.broken.is_none().then_some(connection);
    Ok(Ready { writer, reader, opened, chain, lock })
}

/// Marks a clean end.
pub(crate) fn close(connection: &Connection) -> Result<(), StoreError> {
    set_meta(connection, "clean", &[1])?;
    connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);").map_err(sql::failed)
}

/// Copies the open database to `file`, which gets the same key.
///
/// The copy is written page by page in its encrypted form.
pub(crate) fn copy(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::Failed(error.to_string());
    let to = file.to_str().ok_or_else(|| StoreError::misuse("the path of a copy is UTF-8"))?;
    if file.exists() {
        return Err(StoreError::Failed(format!("{to} is there already")));
    }
    connection.execute("VACUUM INTO ?1", [to]).map(drop).map_err(failed)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Access {
    Read,
    Write,
}

/// Readies the library, once in a process.
///
/// SQLite takes itself for ready before SQLCipher is. A thread that comes in between is refused its key ("An error
/// occurred with PRAGMA key or rekey"), so that nobody opens a file before somebody has opened something.
fn ready() -> Result<(), StoreError> {
    static READY: OnceLock<Result<(), StoreError>> = OnceLock::new();
    READY.get_or_init(|| Connection::open_in_memory().map(drop).map_err(sql::failed)).clone()
}

fn connect(file: &Path, key: Option<&ArchiveKey>, access: Access) -> Result<Connection, StoreError> {
    ready()?;
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match access {
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
    let connection = Connection::open_with_flags(file, flags).map_err(sql::failed)?;
    connection.set_prepared_statement_cache_capacity(512);
    if let Some(key) = key {
        // Its own log would go to the terminal; failures come back as errors.
        connection.execute_batch("PRAGMA cipher_log_level = NONE;").map_err(sql::failed)?;
        connection.execute_batch(&key.pragma()).map_err(sql::failed)?;
        require_cipher(&connection)?;
        // Before the first page is read: it tells how pages are laid out.
        connection
            .execute_batch("PRAGMA cipher_page_size = 4096; PRAGMA cipher_memory_security = ON;")
            .map_err(sql::failed)?;
    }
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA synchronous = FULL;",
        )
        .map_err(sql::failed)?;
    if access == Access::Write {
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sql::failed)?;
        if mode != "wal" {
            return Err(StoreError::Failed(format!("the write-ahead log is off: {mode}")));
        }
    }
    // The first read of a page: a wrong key shows here.
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(sql::failed)?;
    Ok(connection)
}

/// A library without SQLCipher takes the key in silence and writes plain text.
fn require_cipher(connection: &Connection) -> Result<(), StoreError> {
    let version: Option<String> = connection
        .query_row("PRAGMA cipher_version", [], |row| row.get(0))
        .optional()
        .map_err(sql::failed)?;
    match version {
        Some(version) if !version.is_empty() => Ok(()),
        _ => Err(StoreError::NotEncrypted),
    }
}

/// Creates the tables, or brings an older archive up to this schema.
fn prepare(connection: &Connection, schema: &Schema, directory: &Path) -> Result<(), StoreError> {
    let version: u32 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql::failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
        .map_err(sql::failed)?;
    let mut sql = String::from("BEGIN EXCLUSIVE;");
    if tables == 0 {
        let mut id = [0; 32];
        getrandom::fill(&mut id).map_err(|error| StoreError::Failed(error.to_string()))?;
        sql.push_str(
            "CREATE TABLE semper_meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;",
        );
        sql.push_str(&format!("INSERT INTO semper_meta VALUES ('id', x'{}');", ArchiveId::from_bytes(id)));
        for table in schema.tables() {
            sql.push_str(&sql::create_table(table));
            sql.push_str(&sql::create_indexes(table));
        }
    } else {
        let changes = schema.changes_since(version)?;
        if version == schema.version() {
            return compare(connection, schema);
        }
        copy(connection, &directory.join(format!("archive.version-{version}.db")))?;
        for change in changes {
            sql.push_str(&migrate(schema, change)?);
        }
    }
    sql.push_str(&format!("PRAGMA user_version = {}; COMMIT;", schema.version()));
    if let Err(error) = connection.execute_batch(&sql) {
        let _ = connection.execute_batch("ROLLBACK");
        return Err(sql::failed(error));
    }
    compare(connection, schema)
}

fn migrate(schema: &Schema, change: Change) -> Result<String, StoreError> {
    Ok(match change {
        Change::AddTable(name) => {
            let table = schema.table(name)?;
            sql::create_table(table) + &sql::create_indexes(table)
        }
        Change::AddColumn { table, column } => sql::add_column(schema.table(table)?, column)?,
        Change::AddIndexes(name) => sql::create_indexes(schema.table(name)?),
        Change::DropTable(name) => format!("DROP TABLE \"{name}\";"),
    })
}

/// Whether the tables in the file are those of the schema.
fn compare(connection: &Connection, schema: &Schema) -> Result<(), StoreError> {
    for table in schema.tables() {
        let mut statement =
            connection.prepare("SELECT name FROM pragma_table_info(?1)").map_err(sql::failed)?;
        let found: Result<Vec<String>, _> =
            statement.query_map([table.name], |row| row.get(0)).map_err(sql::failed)?.collect();
        let found = found.map_err(sql::failed)?;
        if !table.columns.iter().all(|column| found.iter().any(|name| name == column.name)) {
            return Err(StoreError::misuse(format!(
                "table {} of the file is not the one declared, and no newer version was",
                table.name
            )));
        }
    }
    Ok(())
}

/// Reads the name, the head and the state of the journal.
fn inspect(connection: &Connection, schema: &Schema, clean: bool) -> Result<(Opened, Chain), StoreError> {
    let id = meta(connection, "id")?
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::Damaged("the archive has no name".to_owned()))?;
    let (chain, broken) = match verify(connection, schema) {
        Ok(chain) => (chain, None),
        Err((chain, StoreError::Broken { seq })) => (chain, Some(seq)),
        Err((_, error)) => return Err(error),
    };
    let id = ArchiveId::from_bytes(id);
    Ok((Opened { id, head: chain.head(), last_at: chain.last_at(), broken, clean }, chain))
}

/// Follows the chain from the last head that was kept, or from its beginning.
fn verify(connection: &Connection, schema: &Schema) -> Result<Chain, (Chain, StoreError)> {
    let mut chain = start(connection, schema).map_err(|error| (Chain::EMPTY, error))?;
    let mut query = Query::of(journal::TABLE.name).when(
        "seq",
        semper_supporting::archive::Relation::Greater,
        semper_supporting::archive::Value::count(chain.head().seq),
    );
    loop {
        let rows = sql::select(connection, schema, &query).map_err(|error| (chain, error))?;
        for row in &rows {
            let seq = chain.head().seq.saturating_add(1);
            let line = journal::check_row(row).map_err(|_| (chain, StoreError::Broken { seq }))?;
            chain.follow(&line).map_err(|broken| (chain, broken.into()))?;
        }
        match rows.last() {
            Some(last) => query = query.after(&journal::TABLE, last),
            None => return Ok(chain),
        }
    }
}

/// The chain at the last head that was kept, if its line is what the head says.
fn start(connection: &Connection, schema: &Schema) -> Result<Chain, StoreError> {
    if schema.table(head::TABLE.name).is_err() {
        return Ok(Chain::EMPTY);
    }
    let newest = Query::of(head::TABLE.name).order("seq", Direction::Falling).limit(1);
    let Some(kept) = sql::select(connection, schema, &newest)?.pop() else { return Ok(Chain::EMPTY) };
    let seq = kept.count("seq")?;
    let line = Query::of(journal::TABLE.name).equal("seq", kept.integer("seq")?);
    let row = sql::select(connection, schema, &line)?.pop().ok_or(StoreError::Broken { seq })?;
    let line: Line = journal::check_row(&row)?;
    let says = Head { seq, hash: semper_supporting::crypto::digest::Digest::from_bytes(kept.array("hash")?) };
    let chain = Chain::at(&line);
    if chain.head() == says { Ok(chain) } else { Err(StoreError::Broken { seq }) }
}

/// Checks the file after an end that was not clean.
fn check_file(connection: &Connection, encrypted: bool) -> Result<(), StoreError> {
    tracing::info!("the archive was not closed in an orderly way; checking its file");
    let mut findings = Vec::new();
    let checks: &[&str] =
        if encrypted { &["cipher_integrity_check", "quick_check"] } else { &["quick_check"] };
    for check in checks {
        connection
            .pragma_query(None, check, |row| {
                findings.push(row.get::<_, String>(0)?);
                Ok(())
            })
            .map_err(sql::failed)?;
    }
    findings.retain(|finding| finding != "ok");
    match findings.into_iter().next() {
        None => Ok(()),
        Some(finding) => Err(StoreError::Damaged(finding)),
    }
}

fn meta(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection
        .query_row("SELECT value FROM semper_meta WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(sql::failed)
}

fn set_meta(connection: &Connection, name: &str, value: &[u8]) -> Result<(), StoreError> {
    connection
        .execute("INSERT OR REPLACE INTO semper_meta VALUES (?1, ?2)", rusqlite::params![name, value])
        .map(drop)
        .map_err(sql::failed)
}

fn private_directory(directory: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).map_err(|error| StoreError::Failed(error.to_string()))
}

/// Takes the lock, alone for writing, shared for reading.
fn lock(directory: &Path, read_only: bool) -> Result<Option<Arc<File>>, StoreError> {
    let path = directory.join(LOCK);
    let file = if read_only {
        match File::open(&path) {
            Ok(file) => file,
            // A copy on a disk that cannot be written has none, and nobody else writes it.
            Err(_) => return Ok(None),
        }
    } else {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| StoreError::Failed(error.to_string()))?
    };
    let taken = if read_only { file.try_lock_shared() } else { file.try_lock() };
    match taken {
        Ok(()) => Ok(Some(Arc::new(file))),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(StoreError::Failed(error.to_string())),
    }
}
