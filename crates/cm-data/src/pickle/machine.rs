//! The machine that a pickle is a program for.

use std::collections::HashMap;

use super::{
    Node, Pickle, PickleProblem,
    objects::{Given, Known},
    reader::{Reader, escaped, quoted, signed},
};

/// Most values: a hundred times those of the largest set of pairs.
pub(super) const MOST: usize = 1 << 22;
/// Most arguments of a call, of which that for the state of a type has eight.
const ARGUMENTS: usize = 16;

struct Machine {
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// How high the stack was where marks were set.
    marks: Vec<usize>,
    kept: HashMap<u64, usize>,
    /// Bytes that functions may still give. What they are given is in the file, and passes through two at most: a string becomes bytes,
    /// and bytes an array.
    room: usize,
    /// Where the instruction begins that is followed.
    at: usize,
}

/// Follows all instructions up to the last.
pub(super) fn run(bytes: &[u8]) -> Result<Pickle, PickleProblem> {
    let mut reader = Reader::new(bytes);
    let mut machine = Machine {
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        kept: HashMap::new(),
        room: bytes.len().saturating_mul(2),
        at: 0,
    };
    loop {
        machine.at = reader.at();
        let instruction = reader.byte()?;
        if instruction == b'.' {
            let root = machine.pop()?;
            return Ok(Pickle { nodes: machine.nodes, root });
        }
        machine.step(instruction, &mut reader)?;
    }
}

impl Machine {
    fn step(&mut self, instruction: u8, reader: &mut Reader<'_>) -> Result<(), PickleProblem> {
        match instruction {
            // PROTO and FRAME tell nothing that is needed.
            0x80 => reader.take(1).map(|_| ()),
            0x95 => reader.take(8).map(|_| ()),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(|_| ()),
            b'1' => self.since_mark().map(|_| ()),
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'I' | b'L' => {
                let line = reader.line()?;
                self.number(line)
            }
            b'K' => self.push_unsigned(reader, 1),
            b'M' => self.push_unsigned(reader, 2),
            b'J' => {
                let bytes = reader.take(4)?;
                self.push_signed(bytes)
            }
            0x8a => {
                let bytes = reader.counted(1)?;
                self.push_signed(bytes)
            }
            0x8b => {
                let bytes = reader.counted(4)?;
                self.push_signed(bytes)
            }
            b'G' => {
                let bits = reader.take(8)?.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
                self.push(Node::Float(f64::from_bits(bits)))
            }
            b'F' => {
                let line = std::str::from_utf8(reader.line()?).ok();
                match line.and_then(|line| line.trim().parse().ok()) {
                    Some(number) => self.push(Node::Float(number)),
                    None => Err(self.damaged("a number that is none")),
                }
            }
            // Strings of Python 2 are bytes.
            b'S' => match quoted(reader.line()?) {
                Some(bytes) => self.push(Node::Bytes(bytes.into())),
                None => Err(self.damaged("a string without its quotes")),
            },
            b'V' => match escaped(reader.line()?) {
                Some(text) => self.push(Node::Text(text)),
                None => Err(self.damaged("a string with an escape that is none")),
            },
            b'U' | b'C' => self.push_bytes(reader, 1),
            b'T' | b'B' => self.push_bytes(reader, 4),
            0x8e | 0x96 => self.push_bytes(reader, 8),
            0x8c => self.push_text(reader, 1),
            b'X' => self.push_text(reader, 4),
            0x8d => self.push_text(reader, 8),
            b']' => self.push(Node::List(Vec::new())),
            b')' => self.push(Node::Tuple(Vec::new())),
            b'l' => self.since_mark().and_then(|values| self.push(Node::List(values))),
            b't' => self.since_mark().and_then(|values| self.push(Node::Tuple(values))),
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(instruction - 0x84));
                let from = from.filter(|&from| self.marks.last().is_none_or(|&mark| from >= mark));
                let from = from.ok_or_else(|| self.damaged("a tuple of more values than there are"))?;
                let values = self.stack.split_off(from);
                self.push(Node::Tuple(values))
            }
            b'a' => {
                let value = self.pop()?;
                self.append(&[value])
            }
            b'e' => {
                let values = self.since_mark()?;
                self.append(&values)
            }
            b'p' | b'g' => {
                let line = reader.line()?;
                let number = std::str::from_utf8(line).ok().and_then(|line| line.trim().parse().ok());
                let number = number.ok_or_else(|| self.damaged("a place that is no number"))?;
                if instruction == b'p' { self.keep(number) } else { self.recall(number) }
            }
            b'q' => reader.unsigned(1).and_then(|number| self.keep(number)),
            b'r' => reader.unsigned(4).and_then(|number| self.keep(number)),
            0x94 => self.keep(self.kept.len() as u64),
            b'h' => reader.unsigned(1).and_then(|number| self.recall(number)),
            b'j' => reader.unsigned(4).and_then(|number| self.recall(number)),
            b'c' => {
                let [module, name] = [reader.line()?, reader.line()?].map(String::from_utf8_lossy);
                self.known(&module, &name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.nodes[module], &self.nodes[name]) {
                    (Node::Text(module), Node::Text(name)) => {
                        let (module, name) = (module.clone(), name.clone());
                        self.known(&module, &name)
                    }
                    _ => Err(self.damaged("a name that is no string")),
                }
            }
            b'R' => self.call(),
            b'b' => self.build(),
            // An array in the file itself.
            0x98 => Ok(()),
            other => {
                // Instructions that make objects or ask other programs for them are letters or close to 0x80.
                let what = format!("the instruction {other:#04x}");
                Err(match other {
                    b'i'
                    | b'o'
                    | b'P'
                    | b'Q'
                    | b'}'
                    | b'd'
                    | b's'
                    | b'u'
                    | 0x81..=0x84
                    | 0x8f..=0x92
                    | 0x97 => PickleProblem::Refused { at: self.at, what },
                    _ => self.damaged(&what),
                })
            }
        }
    }

    fn damaged(&self, what: &str) -> PickleProblem {
        PickleProblem::Damaged { at: self.at, what: what.to_owned() }
    }

    fn refused(&self, what: String) -> PickleProblem {
        PickleProblem::Refused { at: self.at, what }
    }

    fn node(&mut self, node: Node) -> Result<usize, PickleProblem> {
        if self.nodes.len() >= MOST {
            return Err(PickleProblem::Large { limit: MOST });
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn push(&mut self, node: Node) -> Result<(), PickleProblem> {
        let at = self.node(node)?;
        self.stack.push(at);
        Ok(())
    }

    fn push_unsigned(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), PickleProblem> {
        let number = reader.unsigned(count)? as i64;
        self.push(Node::Int(number))
    }

    fn push_signed(&mut self, bytes: &[u8]) -> Result<(), PickleProblem> {
        let number = signed(bytes).ok_or_else(|| self.damaged("a number beyond 64 bits"))?;
        self.push(Node::Int(number))
    }

    fn push_bytes(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), PickleProblem> {
        let bytes = reader.counted(count)?.into();
        self.push(Node::Bytes(bytes))
    }

    fn push_text(&mut self, reader: &mut Reader<'_>, count: usize) -> Result<(), PickleProblem> {
        match std::str::from_utf8(reader.counted(count)?) {
            Ok(text) => self.push(Node::Text(text.to_owned())),
            Err(_) => Err(self.damaged("a string that is not UTF-8")),
        }
    }

    /// A number in digits; two of them are truth values.
    fn number(&mut self, line: &[u8]) -> Result<(), PickleProblem> {
        match line {
            b"01" => return self.push(Node::Bool(true)),
            b"00" => return self.push(Node::Bool(false)),
            _ => {}
        }
        let digits = std::str::from_utf8(line).ok().map(|line| line.trim().trim_end_matches('L'));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) => self.push(Node::Int(number)),
            None => Err(self.damaged("a number that is none")),
        }
    }

    fn pop(&mut self) -> Result<usize, PickleProblem> {
        match self.stack.len() > self.marks.last().copied().unwrap_or(0) {
            true => self.stack.pop().ok_or_else(|| self.damaged("an instruction without a value")),
            false => Err(self.damaged("an instruction without a value")),
        }
    }

    fn top(&self) -> Result<usize, PickleProblem> {
        self.stack.last().copied().ok_or_else(|| self.damaged("an instruction without a value"))
    }

    fn since_mark(&mut self) -> Result<Vec<usize>, PickleProblem> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("an instruction without a mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, values: &[usize]) -> Result<(), PickleProblem> {
        let list = self.top()?;
        match &mut self.nodes[list] {
            Node::List(of) => {
                of.extend(values);
                Ok(())
            }
            _ => Err(self.damaged("an addition to what is no list")),
        }
    }

    fn keep(&mut self, number: u64) -> Result<(), PickleProblem> {
        let top = self.top()?;
        self.kept.insert(number, top);
        Ok(())
    }

    fn recall(&mut self, number: u64) -> Result<(), PickleProblem> {
        let kept = self.kept.get(&number).copied();
        // A value again is a value more: a list of one value many times over takes memory too.
        if self.stack.len() >= MOST {
            return Err(PickleProblem::Large { limit: MOST });
        }
        self.stack.push(kept.ok_or_else(|| self.damaged("a value that was not kept"))?);
        Ok(())
    }

    fn known(&mut self, module: &str, name: &str) -> Result<(), PickleProblem> {
        match Known::named(module, name) {
            Some(known) => self.push(Node::Known(known)),
            None => {
                let shown =
                    |text: &str| text.chars().take(60).flat_map(char::escape_debug).collect::<String>();
                Err(self.refused(format!("{}.{}", shown(module), shown(name))))
            }
        }
    }

    /// The values of a tuple on top of the stack, which is taken.
    fn arguments(&mut self) -> Result<Vec<usize>, PickleProblem> {
        let tuple = self.pop()?;
        match &self.nodes[tuple] {
            Node::Tuple(values) if values.len() <= ARGUMENTS => Ok(values.clone()),
            // A long tuple, kept once and given to every call, would be a copy each.
            Node::Tuple(values) => Err(self.refused(format!("a call with {} arguments", values.len()))),
            _ => Err(self.damaged("arguments that are no tuple")),
        }
    }

    fn call(&mut self) -> Result<(), PickleProblem> {
        let (arguments, function) = (self.arguments()?, self.pop()?);
        let Node::Known(known) = self.nodes[function] else {
            return Err(self.damaged("a call of what is no function"));
        };
        let arguments: Vec<&Node> = arguments.iter().map(|&at| &self.nodes[at]).collect();
        let given = known.call(&arguments);
        let given = given.ok_or_else(|| self.refused(format!("{known:?} of something else than data")))?;
        let node = self.given(given)?;
        self.push(node)
    }

    fn given(&mut self, given: Given) -> Result<Node, PickleProblem> {
        Ok(match given {
            Given::Node(Node::Bytes(bytes)) => {
                let left = self.room.checked_sub(bytes.len());
                self.room = left.ok_or_else(|| self.damaged("more bytes than its strings have"))?;
                Node::Bytes(bytes)
            }
            Given::Node(node) => node,
            Given::List(values) => {
                Node::List(values.into_iter().map(|value| self.node(value)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// Fills an array, or tells a type the order of its bytes.
    fn build(&mut self) -> Result<(), PickleProblem> {
        let (state, object) = (self.arguments()?, self.top()?);
        let state: Vec<&Node> = state.iter().map(|&at| &self.nodes[at]).collect();
        let given = match (&self.nodes[object], &state[..]) {
            (Node::Type(kind), [_, Node::Text(order), ..]) => {
                Some(Given::Node(Node::Type(kind.with_order(order))))
            }
            (Node::Type(kind), [_, Node::Bytes(order), ..]) => {
                let order = String::from_utf8_lossy(order);
                Some(Given::Node(Node::Type(kind.with_order(&order))))
            }
            (Node::Empty, [_, Node::Tuple(shape), Node::Type(kind), _, Node::Bytes(bytes)])
                if shape.len() == 1 =>
            {
                kind.array(bytes)
            }
            _ => None,
        };
        let given = given.ok_or_else(|| {
            self.refused("an array of more than one dimension or of other things".to_owned())
        })?;
        self.nodes[object] = self.given(given)?;
        Ok(())
    }
}
