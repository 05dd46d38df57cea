//! Random workflows: nested loops, branches, failures, policies, limits. Every one compiles.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A workflow and an input for it.
#[derive(Debug, Clone)]
pub(crate) struct Generated {
    pub(crate) definition: Value,
    pub(crate) input: Map<String, Value>,
}

/// A workflow of about `size` nodes.
pub(crate) fn generate(seed: u64, size: usize) -> Generated {
    make(seed, size, false)
}

/// The same, with calls of other workflows among the nodes.
#[allow(dead_code, reason = "each test binary has this module, and not every one needs calls")]
pub(crate) fn generate_with_calls(seed: u64, size: usize) -> Generated {
    make(seed, size, true)
}

fn make(seed: u64, size: usize, calls: bool) -> Generated {
    let mut maker = Maker { dice: Dice::new(seed), nodes: Vec::new(), input: Map::new(), left: size, calls };
    let photo = maker.parameter("photo", "image", json!({"photo": 1}));
    let items = (0..maker.dice.below(5)).map(|number| json!({"item": number})).collect();
    let list = maker.parameter("list", "list<image>", items);
    let rows = (0..maker.dice.below(4)).map(|row| {
        let columns = 0..maker.dice.below(4);
        columns.map(|column| json!({"row": row, "column": column})).collect::<Value>()
    });
    let rows: Value = rows.collect();
    let lists = maker.parameter("lists", "list<list<image>>", rows);
    let mut sight = Sight { images: vec![photo], lists: vec![list], nested: vec![lists], index: None };
    while maker.left > 0 {
        maker.place(&mut sight, 0);
    }
    let shown = (0..2).map(|name| (format!("v{name}"), json!(maker.dice.pick(&sight.images).clone())));
    let shown: Map<String, Value> = shown.collect();
    maker.push(json!({"type": "json_output", "inputs": shown}));
    if maker.dice.chance(60) {
        let lists = json!({"list": maker.dice.pick(&sight.lists).clone()});
        maker.push(json!({"type": "json_output", "inputs": lists}));
    }
    let mut definition = json!({"name": "generated", "nodes": maker.nodes, "workflows": workflows()});
    if maker.dice.chance(30) {
        definition["max_concurrency"] = json!(1 + maker.dice.below(3));
    }
    if maker.dice.chance(10) {
        definition["timeout_ms"] = json!(1 + maker.dice.below(3_000));
    }
    Generated { definition, input: maker.input }
}

/// What calls call.
fn workflows() -> Value {
    let job = |id: &str, from: &str| json!({"id": id, "type": "resize", "inputs": {"image": from}, "config": {"width": 8}});
    json!({
        "inner": {"nodes": [
            {"id": "x", "type": "parameter_input", "config": {"kind": "any", "default": {"none": 1}}},
            job("a", "$inputs.x"),
            {"id": "out", "type": "json_output", "inputs": {"image": "$nodes.a.image"}}
        ]},
        "outer": {"nodes": [
            {"id": "x", "type": "parameter_input", "config": {"kind": "any"}},
            {"id": "list", "type": "parameter_input", "config": {"kind": "list<any>"}},
            {"id": "if", "type": "condition", "inputs": {"value": "$inputs.x", "list": "$inputs.list"}, "config": {"if": "size(list) > 1"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}, "config": {"max_parallel": 2}},
            {"id": "call", "type": "sub_workflow", "inputs": {"x": "$item"}, "config": {"workflow": "inner"}, "on_error": "skip"},
            {"id": "all", "type": "collect", "inputs": {"item": "$nodes.call.image"}},
            job("b", "$nodes.if.true"),
            {"id": "other", "type": "first_of", "inputs": {"a": "$nodes.b.image", "b": "$nodes.if.false"}},
            {"id": "out", "type": "json_output",
             "inputs": {"image": "$nodes.other.value", "branch": "$nodes.b.image", "images": "$nodes.all.items"}}
        ]}
    })
}

/// The ports a node may read where it stands.
#[derive(Debug, Clone)]
struct Sight {
    images: Vec<String>,
    lists: Vec<String>,
    nested: Vec<String>,
    index: Option<String>,
}

struct Maker {
    dice: Dice,
    nodes: Vec<Value>,
    input: Map<String, Value>,
    left: usize,
    calls: bool,
}

impl Maker {
    fn parameter(&mut self, name: &str, kind: &str, value: Value) -> String {
        self.nodes.push(json!({"id": name, "type": "parameter_input", "config": {"kind": kind}}));
        self.input.insert(name.to_owned(), value);
        format!("$inputs.{name}")
    }

    fn push(&mut self, mut node: Value) -> String {
        let id = format!("n{}", self.nodes.len());
        node["id"] = json!(id);
        self.nodes.push(node);
        self.left = self.left.saturating_sub(1);
        format!("$nodes.{id}")
    }

    fn image(&mut self, sight: &Sight) -> String {
        // The latest ports are the likeliest, so that workflows are deep as well as wide.
        let count = sight.images.len();
        let from = if self.dice.chance(60) { count.saturating_sub(3) } else { 0 };
        sight.images[from + self.dice.below(count - from)].clone()
    }

    fn place(&mut self, sight: &mut Sight, depth: usize) {
        if self.calls && self.dice.chance(12) {
            return self.call(sight);
        }
        match self.dice.below(100) {
            0..45 => self.job(sight),
            45..55 => self.branch(sight),
            55..65 => self.join(sight),
            65..72 => self.crops(sight),
            72..78 => self.delay(sight),
            _ if depth < 3 && self.left > 0 => self.repeat(sight, depth),
            _ => self.job(sight),
        }
    }

    fn job(&mut self, sight: &mut Sight) {
        let image = self.image(sight);
        let mut node = json!({"type": "resize", "inputs": {"image": image}, "config": {"width": 8}});
        self.policies(&mut node, json!({"image": {"default": true}}));
        let id = self.push(node);
        sight.images.push(format!("{id}.image"));
    }

    fn crops(&mut self, sight: &mut Sight) {
        let image = self.image(sight);
        let mut node = json!({"type": "detection", "inputs": {"image": image}, "config": {"model_id": "m"}});
        self.policies(&mut node, json!({"detections": {"items": []}}));
        let found = self.push(node);
        let inputs = json!({"image": image, "detections": format!("{found}.detections")});
        let mut node = json!({"type": "crop", "inputs": inputs, "config": {"mode": "detections"}});
        self.policies(&mut node, json!({"crops": [{"default": 1}]}));
        let crop = self.push(node);
        sight.lists.push(format!("{crop}.crops"));
    }

    fn policies(&mut self, node: &mut Value, default: Value) {
        match self.dice.below(10) {
            0..3 => node["on_error"] = json!("skip"),
            3..6 => node["on_error"] = json!({"default": default}),
            6 => node["on_error"] = json!("fail"),
            _ => {}
        }
        if self.dice.chance(30) {
            let attempts = 1 + self.dice.below(3);
            let pause = *self.dice.pick(&[0, 1, 200]);
            node["retry"] = json!({"max_attempts": attempts, "initial_ms": pause});
        }
        if self.dice.chance(20) {
            node["timeout_ms"] = json!(1 + self.dice.below(1_000));
        }
    }

    fn branch(&mut self, sight: &mut Sight) {
        let value = self.image(sight);
        let node = match &sight.index {
            Some(index) if self.dice.chance(70) => {
                let inputs = json!({"value": value, "place": index});
                json!({"type": "condition", "inputs": inputs, "config": {"if": "place % 2 == 0"}})
            }
            _ => {
                let truth = if self.dice.chance(50) { "true" } else { "false" };
                json!({"type": "condition", "inputs": {"value": value}, "config": {"if": truth}})
            }
        };
        let id = self.push(node);
        sight.images.extend([format!("{id}.true"), format!("{id}.false")]);
    }

    fn join(&mut self, sight: &mut Sight) {
        let count = 1 + self.dice.below(3);
        let inputs = (0..count).map(|name| (format!("b{name}"), json!(self.image(sight))));
        let inputs: Map<String, Value> = inputs.collect();
        let id = self.push(json!({"type": "first_of", "inputs": inputs}));
        sight.images.push(format!("{id}.value"));
    }

    fn delay(&mut self, sight: &mut Sight) {
        let value = self.image(sight);
        let ms = *self.dice.pick(&[0, 1, 50, 500]);
        let id = self.push(json!({"type": "delay", "inputs": {"value": value}, "config": {"ms": ms}}));
        sight.images.push(format!("{id}.value"));
    }

    /// A workflow with a branch, a loop and a call of its own; where it has no result, nor has the call.
    fn call(&mut self, sight: &mut Sight) {
        let (image, list) = (self.image(sight), self.dice.below(4));
        let list = (0..list).map(|number| json!({"inner": number})).collect::<Value>();
        let workflow = if self.dice.chance(70) { "outer" } else { "inner" };
        let inputs =
            if workflow == "outer" { json!({"x": image, "list": list}) } else { json!({"x": image}) };
        let mut node = json!({"type": "sub_workflow", "inputs": inputs, "config": {"workflow": workflow}});
        if self.dice.chance(40) {
            node["on_error"] = json!("skip");
        }
        let id = self.push(node);
        sight.images.push(format!("{id}.image"));
        if workflow == "outer" {
            sight.images.push(format!("{id}.branch"));
            sight.lists.push(format!("{id}.images"));
        }
    }

    fn repeat(&mut self, sight: &mut Sight, depth: usize) {
        let nested = self.dice.chance(30);
        let mut list = self.dice.pick(if nested { &sight.nested } else { &sight.lists }).clone();
        if let Some(index) = sight.index.as_ref().filter(|index| index.replace(".index", ".item") != list) {
            // A loop over a list from outside would stand beside this one instead of inside it.
            let inputs = json!({"items": list, "place": index});
            list = self.push(json!({"type": "map", "inputs": inputs, "config": {"expr": "item"}})) + ".items";
        }
        let policy = *self.dice.pick(&["fail", "null", "drop"]);
        let config = json!({"max_parallel": 1 + self.dice.below(4), "on_item_error": policy});
        let each = self.push(json!({"type": "for_each", "inputs": {"items": list}, "config": config}));
        let mut inside = sight.clone();
        inside.index = Some(format!("{each}.index"));
        let item = format!("{each}.item");
        if nested {
            inside.lists.push(item.clone())
        } else {
            inside.images.push(item.clone())
        }
        let known = inside.images.len();
        for _ in 0..1 + self.dice.below(4) {
            self.place(&mut inside, depth + 1);
        }
        for _ in 0..1 + self.dice.below(2) {
            // Only what depends on the item is inside; a job makes sure that something does.
            let from = if nested { format!("{each}.index") } else { item.clone() };
            let made = self.inside(&inside.images[known..], &from);
            let node = json!({"type": "collect", "inputs": {"item": made}});
            let collected = self.push(node);
            sight.lists.push(format!("{collected}.items"));
        }
        if self.dice.chance(30) {
            // Waits for more than the loop.
            let gathered = json!({"item": item, "outer": self.image(sight)});
            self.push(json!({"type": "collect", "inputs": {"item": gathered}}));
        }
    }

    /// A port that surely stands inside the loop of `item`.
    fn inside(&mut self, made: &[String], item: &str) -> String {
        let mut inputs = json!({"place": item});
        if !made.is_empty() {
            inputs["value"] = json!(self.dice.pick(made).clone());
        }
        let id = self.push(json!({"type": "condition", "inputs": inputs, "config": {"if": "true"}}));
        format!("{id}.true")
    }
}
