//! Templates: what they are given, and where they are stopped.

use crate::models::template::{render, Error, Marks, Message, MAX_MESSAGES, MAX_TEXT};

fn message(role: &str, content: &str) -> Message {
    Message { role: role.into(), content: content.into() }
}

fn rendered(source: &str) -> Result<String, Error> {
    let marks = Marks { beginning: "<s>".into(), end: "</s>".into() };
    render(source, &[message("user", "hi"), message("assistant", "ho")], &marks)
}

#[track_caller]
fn refused(source: &str, why: &str) {
    let error = rendered(source).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn a_template_is_given_messages_and_marks() {
    let source =
        "{{ bos_token }}{% for message in messages %}{{ message['role'] + ':' + message.content }}{{ eos_token }}\
                  {% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
    assert_eq!(rendered(source).unwrap(), "<s>user:hi</s>assistant:ho</s>assistant:");
}

#[test]
fn it_may_use_what_templates_use() {
    assert_eq!(
        rendered("{{ messages[0].content.strip().upper() }}{{ messages[-1]['content'] | trim }}").unwrap(),
        "HIho"
    );
    assert_eq!(
        rendered("{% for m in messages[1:] %}{% if loop.first %}{{ m.role }}{% break %}{% endif %}{% endfor %}")
            .unwrap(),
        "assistant"
    );
    assert_eq!(
        rendered("{% set n = namespace(a=1) %}{% for m in messages %}{% set n.a = n.a + 1 %}{% endfor %}{{ n.a }}")
            .unwrap(),
        "3"
    );
    // A line that has only a block on it is none.
    assert_eq!(rendered("a\n  {% if true %}\nb\n  {% endif %}\nc").unwrap(), "a\nb\nc");
    assert_eq!(rendered("{{ tools }}{% if tools is defined %}x{% endif %}").unwrap(), "");
}

#[test]
fn it_may_refuse_a_conversation() {
    refused("{{ raise_exception('roles must alternate') }}", "roles must alternate");
    refused("{{ nothing() }}", "unknown function");
}

#[test]
fn steps_depth_and_length_are_bounded() {
    refused("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "out of fuel");
    refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion limit");
    refused("{% for a in range(9999) %}{{ 'x' * 9999 }}{% endfor %}", "the text that it makes has more than");
    refused(&" ".repeat(65_537), "it has 65537 bytes");
    refused("{% include 'passwd' %}", "passwd");
    let long = message("user", &"x".repeat(MAX_TEXT));
    assert!(matches!(render("", &[long], &Marks::default()), Err(Error::Conversation)));
    let many = vec![message("", ""); MAX_MESSAGES + 1];
    assert!(matches!(render("", &many, &Marks::default()), Err(Error::Conversation)));
}
