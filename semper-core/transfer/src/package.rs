//! Packages: ordered trees of items, flat in pre-order, each leaf named by its path.
//!
//! ```text
//! 0/kind: statement      0/semantics: receipt      …
//! 1/kind: package        1/label: Course, two parts
//! 1/0/kind: data         1/0/title: Part one       …
//! 1/1/kind: data         1/1/title: Part two       …
//! ```
//!
//! The hash of a tree is SHA-256 over a line `path hash` for each leaf, in order, so that no leaf can be
//! swapped, moved, repeated or left out.

use std::{collections::BTreeMap, fmt};

use semper_supporting::{crypto::digest::Digest, evidence::statement::StatementError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    attribute::{Security, Strengthening},
    description::{
        CredentialDescription, DataDescription, Description, PaymentDescription, StatementDescription,
    },
    fault::PackageFault,
    tagged::tagged,
};

/// How many levels a package has at most.
pub const MAX_DEPTH: usize = 16;
/// How many items a package holds at most.
pub const MAX_LEAVES: usize = 1000;

/// The path of a node in a package: the index of a child at each level, written `0/2`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LeafPath(Vec<u16>);

/// Why a text or a list of numbers is no path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a path is 1 to 16 numbers below 1000, separated by slashes")]
pub struct BadPath;

/// A package: an ordered tree whose leaves describe items.
///
/// Holds at least one leaf, at most [`MAX_LEAVES`], on at most [`MAX_DEPTH`] levels.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Package {
    nodes: Vec<(LeafPath, Node)>,
}

/// An inner node of a package.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Part {
    /// What people call this part of the package.
    pub label: String,
}

/// A node of a package: a part with children, or the description of an item.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Node {
    /// An item.
    Leaf(Description),
    /// A part, whose children follow.
    Part(Part),
}

impl LeafPath {
    /// The path of these child indices.
    ///
    /// # Errors
    /// [`BadPath`] if there are none, more than [`MAX_DEPTH`], or one is not below [`MAX_LEAVES`].
    pub fn new(segments: &[u16]) -> Result<Self, BadPath> {
        let fits = (1..=MAX_DEPTH).contains(&segments.len())
            && segments.iter().all(|segment| usize::from(*segment) < MAX_LEAVES);
        fits.then(|| Self(segments.to_vec())).ok_or(BadPath)
    }

    /// The path of the only leaf of a package with one leaf, `0`.
    pub fn first() -> Self {
        Self(vec![0])
    }

    /// Reads the form `0/2`: no leading zeros.
    ///
    /// # Errors
    /// [`BadPath`].
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.len() > MAX_DEPTH * 4 {
            return Err(BadPath);
        }
        let segments =
            text.split('/').map(str::parse).collect::<Result<Vec<u16>, _>>().map_err(|_| BadPath)?;
        let path = Self::new(&segments)?;
        (path.to_string() == text).then_some(path).ok_or(BadPath)
    }

    /// Its child indices, from the root down.
    pub fn segments(&self) -> &[u16] {
        &self.0
    }

    /// The paths above it, from the root down, and itself.
    fn line(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.0.len()).filter_map(|depth| self.0.get(..depth).map(|segments| Self(segments.to_vec())))
    }
}

impl fmt::Display for LeafPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.iter().enumerate() {
            let slash = if depth > 0 { "/" } else { "" };
            write!(f, "{slash}{segment}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LeafPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for LeafPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for LeafPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
        } else {
            Self::new(&Vec::deserialize(deserializer)?).map_err(de::Error::custom)
        }
    }
}

impl Package {
    /// The package of these nodes, which must be in pre-order without gaps.
    ///
    /// # Errors
    /// [`PackageFault`] if they form no tree within the limits.
    pub fn new(nodes: Vec<(LeafPath, Node)>) -> Result<Self, PackageFault> {
        let mut shape = Shape::default();
        for (path, node) in &nodes {
            shape.add(path, node)?;
        }
        shape.end()?;
        Ok(Self { nodes })
    }

    /// The package of one item.
    pub fn of(description: impl Into<Description>) -> Self {
        Self { nodes: vec![(LeafPath::first(), Node::Leaf(description.into()))] }
    }

    /// The package of several items side by side.
    ///
    /// # Errors
    /// [`PackageFault::Empty`], [`PackageFault::TooMany`].
    pub fn flat(descriptions: impl IntoIterator<Item = Description>) -> Result<Self, PackageFault> {
        let nodes = descriptions
            .into_iter()
            .enumerate()
            .map(|(index, description)| {
                let index = u16::try_from(index).map_err(|_| PackageFault::TooMany)?;
                let path = LeafPath::new(&[index]).map_err(|_| PackageFault::TooMany)?;
                Ok((path, Node::Leaf(description)))
            })
            .collect::<Result<_, _>>()?;
        Self::new(nodes)
    }

    /// All nodes in pre-order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (&LeafPath, &Node)> {
        self.nodes.iter().map(|(path, node)| (path, node))
    }

    /// The items in order.
    pub fn leaves(&self) -> impl Iterator<Item = (&LeafPath, &Description)> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::Leaf(description) => Some((path, description)),
            Node::Part(_) => None,
        })
    }

    /// The item at `path`, if there is one.
    pub fn leaf(&self, path: &LeafPath) -> Option<&Description> {
        let at = self.nodes.binary_search_by(|(other, _)| other.cmp(path)).ok()?;
        match self.nodes.get(at) {
            Some((_, Node::Leaf(description))) => Some(description),
            _ => None,
        }
    }

    /// The hash by which an agreement names the whole: SHA-256 over a line `path hash` for each leaf.
    ///
    /// # Errors
    /// [`StatementError::Unwritable`] for a description that cannot be written.
    pub fn hash(&self) -> Result<Digest, StatementError> {
        let mut lines = String::new();
        for (path, description) in self.leaves() {
            lines.push_str(&format!("{path} {}\n", description.hash()?));
        }
        Ok(Digest::of(lines.as_bytes()))
    }

    /// How each leaf is protected, given what holds for the whole and what its parts strengthen.
    ///
    /// # Errors
    /// [`PackageFault::Weaker`] where a part weakens what it inherits, [`PackageFault::NoSuchPath`] where
    /// `strengthened` names a path with nothing there.
    pub fn protection(
        &self,
        whole: Security,
        strengthened: &BTreeMap<LeafPath, Strengthening>,
    ) -> Result<BTreeMap<LeafPath, Security>, PackageFault> {
        let known = |path: &LeafPath| self.nodes.binary_search_by(|(other, _)| other.cmp(path)).is_ok();
        if !strengthened.keys().all(known) {
            return Err(PackageFault::NoSuchPath);
        }
        self.leaves()
            .map(|(path, _)| {
                let own = path
                    .line()
                    .filter_map(|above| strengthened.get(&above))
                    .try_fold(whole, |all, more| all.strengthened(more).ok_or(PackageFault::Weaker))?;
                Ok((path.clone(), own))
            })
            .collect()
    }
}

/// The tree as far as its nodes have come.
#[derive(Default)]
struct Shape {
    /// How many children came so far below the root and below each part that is still open.
    children: Vec<u16>,
    open: Vec<u16>,
    leaves: usize,
}

impl Shape {
    fn add(&mut self, path: &LeafPath, node: &Node) -> Result<(), PackageFault> {
        if self.children.is_empty() {
            self.children.push(0);
        }
        let (last, above) = path.0.split_last().ok_or(PackageFault::Order)?;
        while self.children.len() > path.0.len() {
            self.close()?;
        }
        let next = self.children.last_mut().ok_or(PackageFault::Order)?;
        if self.open != above || last != next {
            return Err(PackageFault::Order);
        }
        *next += 1;
        match node {
            Node::Leaf(_) => self.leaves += 1,
            Node::Part(_) => {
                if path.0.len() == MAX_DEPTH {
                    return Err(PackageFault::TooDeep);
                }
                self.open.push(*last);
                self.children.push(0);
            }
        }
        if self.leaves > MAX_LEAVES { Err(PackageFault::TooMany) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), PackageFault> {
        self.open.pop();
        if self.children.pop() == Some(0) { Err(PackageFault::Empty) } else { Ok(()) }
    }

    fn end(mut self) -> Result<(), PackageFault> {
        while !self.children.is_empty() {
            self.close()?;
        }
        if self.leaves == 0 { Err(PackageFault::Empty) } else { Ok(()) }
    }
}

/// The word in the `kind` line of a node.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum NodeKind {
    Credential,
    Data,
    Package,
    Payment,
    Statement,
}

/// A node as its lines are written: parts and items at one level.
enum NodeLines {
    Credential(CredentialDescription),
    Data(DataDescription),
    Package(Part),
    Payment(PaymentDescription),
    Statement(StatementDescription),
}

tagged!(NodeLines, NodeKind {
    Credential(CredentialDescription),
    Data(DataDescription),
    Package(Part),
    Payment(PaymentDescription),
    Statement(StatementDescription),
});

impl From<NodeLines> for Node {
    fn from(lines: NodeLines) -> Self {
        match lines {
            NodeLines::Credential(body) => Self::Leaf(body.into()),
            NodeLines::Data(body) => Self::Leaf(body.into()),
            NodeLines::Package(part) => Self::Part(part),
            NodeLines::Payment(body) => Self::Leaf(body.into()),
            NodeLines::Statement(body) => Self::Leaf(body.into()),
        }
    }
}

impl From<&Node> for NodeLines {
    fn from(node: &Node) -> Self {
        match node.clone() {
            Node::Part(part) => Self::Package(part),
            Node::Leaf(Description::Credential(body)) => Self::Credential(body),
            Node::Leaf(Description::Data(body)) => Self::Data(body),
            Node::Leaf(Description::Payment(body)) => Self::Payment(body),
            Node::Leaf(Description::Statement(body)) => Self::Statement(body),
        }
    }
}

impl Serialize for Package {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.nodes.iter().map(|(path, node)| (path, NodeLines::from(node))))
    }
}

impl<'de> Deserialize<'de> for Package {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tree)
    }
}

struct Tree;

impl<'de> de::Visitor<'de> for Tree {
    type Value = Package;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a package")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Package, A::Error> {
        let (mut nodes, mut shape) = (Vec::new(), Shape::default());
        while let Some(path) = map.next_key::<LeafPath>()? {
            let node = Node::from(map.next_value::<NodeLines>()?);
            // At each node, so that a tree beyond the limits is not first built and then refused.
            shape.add(&path, &node).map_err(de::Error::custom)?;
            nodes.push((path, node));
        }
        shape.end().map_err(de::Error::custom)?;
        Ok(Package { nodes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use semper_supporting::{
        deal::Confidentiality,
        evidence::statement::{Statement, from_bytes, to_bytes},
        wire,
    };

    use super::*;
    use crate::description::tests::{data, receipt};

    fn path(text: &str) -> LeafPath {
        LeafPath::parse(text).unwrap()
    }

    fn part(label: &str) -> Node {
        Node::Part(Part { label: label.into() })
    }

    fn leaf(title: &str) -> Node {
        Node::Leaf(data(title).into())
    }

    fn course() -> Vec<(LeafPath, Node)> {
        vec![
            (path("0"), Node::Leaf(receipt().into())),
            (path("1"), part("Course, two parts")),
            (path("1/0"), leaf("Part one")),
            (path("1/1"), leaf("Part two")),
        ]
    }

    /// An agreement's package as its lines stand in a statement.
    #[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Carrier {
        give_o: Package,
    }

    impl Statement for Carrier {
        const TYPE: &'static str = "x/gxv/offer";
        const LIMIT: usize = 1 << 20;
    }

    #[test]
    fn a_path_has_one_text() {
        for text in ["0", "0/2", "12/999/7"] {
            assert_eq!(path(text).to_string(), text);
        }
        for text in ["", "/", "0/", "/0", "00", "0/02", "1000", "-1", "a", &vec!["0"; 17].join("/")] {
            assert_eq!(LeafPath::parse(text), Err(BadPath), "{text}");
        }
        assert!(path("0/2") < path("0/10") && path("0") < path("0/0"));
    }

    #[test]
    fn a_package_is_written_leaf_by_leaf_and_read_back() {
        let package = Package::new(course()).unwrap();
        let bytes = to_bytes(&Carrier { give_o: package.clone() }).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains("give-o/0/kind: statement\ngive-o/0/semantics: receipt\n"), "{text}");
        assert!(
            text.contains(
                "give-o/1/kind: package\ngive-o/1/label: Course, two parts\ngive-o/1/0/kind: data\n"
            )
        );
        assert_eq!(from_bytes(&bytes), Ok(Carrier { give_o: package.clone() }));
        let journaled = wire::encode(&package, 1 << 20).unwrap();
        assert_eq!(wire::decode(&journaled, 1 << 20), Ok(package));
    }

    #[test]
    fn nodes_out_of_order_or_with_gaps_are_no_package() {
        use PackageFault::{Empty, Order, TooDeep, TooMany};
        let refused = |nodes: Vec<(LeafPath, Node)>| Package::new(nodes).unwrap_err();
        assert_eq!(refused(vec![]), Empty);
        assert_eq!(refused(vec![(path("1"), leaf("a"))]), Order);
        assert_eq!(refused(vec![(path("0"), leaf("a")), (path("0"), leaf("b"))]), Order);
        assert_eq!(refused(vec![(path("0"), leaf("a")), (path("0/0"), leaf("b"))]), Order);
        assert_eq!(refused(vec![(path("0"), part("a"))]), Empty);
        assert_eq!(refused(vec![(path("0"), part("a")), (path("1"), leaf("b"))]), Empty);
        assert_eq!(refused(vec![(path("0/0"), leaf("a"))]), Order);
        let deep: Vec<_> =
            (1..=MAX_DEPTH).map(|depth| (LeafPath::new(&vec![0; depth]).unwrap(), part("a"))).collect();
        assert_eq!(refused(deep), TooDeep);
        assert_eq!(Package::flat((0..=1000).map(|_| data("a").into())).unwrap_err(), TooMany);
        assert!(Package::flat((0..1000).map(|_| data("a").into())).is_ok());
    }

    #[test]
    fn the_hash_names_every_leaf_and_its_place() {
        let package = Package::new(course()).unwrap();
        let lines: String =
            package.leaves().map(|(path, leaf)| format!("{path} {}\n", leaf.hash().unwrap())).collect();
        assert_eq!(package.hash().unwrap(), Digest::of(lines.as_bytes()));
        let mut swapped = course();
        swapped[2].1 = leaf("Part two");
        swapped[3].1 = leaf("Part one");
        assert_ne!(Package::new(swapped).unwrap().hash(), package.hash());
        let flat = Package::flat(package.leaves().map(|(_, leaf)| leaf.clone())).unwrap();
        assert_ne!(flat.hash(), package.hash());
    }

    #[test]
    fn parts_inherit_protection_and_only_strengthen_it() {
        let package = Package::new(course()).unwrap();
        let at = |confidentiality| Strengthening {
            confidentiality: Some(confidentiality),
            ..Strengthening::default()
        };
        let mut more = BTreeMap::from([(path("1"), at(Confidentiality::Item))]);
        let all = package.protection(Security::default(), &more).unwrap();
        assert_eq!(all[&path("0")].confidentiality, Confidentiality::Channel);
        assert_eq!(all[&path("1/1")].confidentiality, Confidentiality::Item);
        more.insert(path("1/1"), at(Confidentiality::Channel));
        assert_eq!(package.protection(Security::default(), &more), Err(PackageFault::Weaker));
        let nowhere = BTreeMap::from([(path("2"), at(Confidentiality::Item))]);
        assert_eq!(package.protection(Security::default(), &nowhere), Err(PackageFault::NoSuchPath));
    }

    /// A tree as nested lists, flattened into nodes.
    fn flatten(shape: &[Vec<u8>]) -> Vec<(LeafPath, Node)> {
        let mut nodes = Vec::new();
        for (outer, children) in (0_u16..).zip(shape) {
            if children.is_empty() {
                nodes.push((LeafPath::new(&[outer]).unwrap(), leaf("alone")));
                continue;
            }
            nodes.push((LeafPath::new(&[outer]).unwrap(), part("several")));
            for (inner, title) in (0_u16..).zip(children) {
                nodes.push((LeafPath::new(&[outer, inner]).unwrap(), leaf(&format!("no {title}"))));
            }
        }
        nodes
    }

    proptest! {
        #[test]
        fn every_tree_is_read_as_it_was_written(
            shape in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 1..12)
        ) {
            let package = Package::new(flatten(&shape)).unwrap();
            let bytes = to_bytes(&Carrier { give_o: package.clone() }).unwrap();
            prop_assert_eq!(&from_bytes::<Carrier>(&bytes).unwrap().give_o, &package);
            for (at, description) in package.leaves() {
                prop_assert_eq!(package.leaf(at), Some(description));
            }
            let journaled = wire::encode(&package, 1 << 20).unwrap();
            prop_assert_eq!(wire::decode::<Package>(&journaled, 1 << 20).unwrap(), package);
        }

        #[test]
        fn a_tree_that_lost_repeated_or_moved_a_node_is_refused_or_another_one(
            shape in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5), 1..6),
            at in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            let nodes = flatten(&shape);
            let whole = Package::new(nodes.clone()).unwrap();
            let (at, to) = (at.index(nodes.len()), to.index(nodes.len()));
            let mut repeated = nodes.clone();
            repeated.insert(to, nodes[at].clone());
            prop_assert!(Package::new(repeated).is_err());
            let mut lost = nodes.clone();
            lost.remove(at);
            prop_assert!(Package::new(lost).map_or(true, |other| other.hash() != whole.hash()));
            let mut moved = nodes.clone();
            moved.swap(at, to);
            prop_assert!(at == to || Package::new(moved).is_err());
        }
    }
}
