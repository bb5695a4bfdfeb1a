//! The fields of an app's form.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::Value;

/// Every type of field, each with its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// `$id`; in every record, never in a form.
    Id,
    /// `$revision`; in every record, never in a form.
    Revision,
    /// Number of the record, with the app's code in front if it has one.
    RecordNumber,
    /// One line of text.
    SingleLineText,
    /// Several lines of text.
    MultiLineText,
    /// HTML.
    RichText,
    /// A decimal number.
    Number,
    /// Computed from other fields; stored here as a value.
    Calc,
    /// Several of the options, as check boxes.
    CheckBox,
    /// One of the options, always.
    RadioButton,
    /// Several of the options, as a list.
    MultiSelect,
    /// One of the options, or none.
    DropDown,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// An instant, to the minute.
    DateTime,
    /// A web address, telephone number or mail address.
    Link,
    /// Attached files.
    File,
    /// Users.
    UserSelect,
    /// Organizations.
    OrganizationSelect,
    /// Groups.
    GroupSelect,
    /// Who added the record.
    Creator,
    /// Who edited it last.
    Modifier,
    /// When it was added.
    CreatedTime,
    /// When it was edited last.
    UpdatedTime,
    /// State of process management.
    Status,
    /// Who has to act in that state.
    StatusAssignee,
    /// Categories, if the app has them.
    Category,
    /// A table of rows.
    Subtable,
    /// Records of another app that point here; it holds no value.
    ReferenceTable,
    /// A frame around other fields; it holds no value.
    Group,
}

impl FieldType {
    /// Every type with its name on the wire.
    pub const ALL: [(Self, &'static str); 30] = [
        (Self::Id, "__ID__"),
        (Self::Revision, "__REVISION__"),
        (Self::RecordNumber, "RECORD_NUMBER"),
        (Self::SingleLineText, "SINGLE_LINE_TEXT"),
        (Self::MultiLineText, "MULTI_LINE_TEXT"),
        (Self::RichText, "RICH_TEXT"),
        (Self::Number, "NUMBER"),
        (Self::Calc, "CALC"),
        (Self::CheckBox, "CHECK_BOX"),
        (Self::RadioButton, "RADIO_BUTTON"),
        (Self::MultiSelect, "MULTI_SELECT"),
        (Self::DropDown, "DROP_DOWN"),
        (Self::Date, "DATE"),
        (Self::Time, "TIME"),
        (Self::DateTime, "DATETIME"),
        (Self::Link, "LINK"),
        (Self::File, "FILE"),
        (Self::UserSelect, "USER_SELECT"),
        (Self::OrganizationSelect, "ORGANIZATION_SELECT"),
        (Self::GroupSelect, "GROUP_SELECT"),
        (Self::Creator, "CREATOR"),
        (Self::Modifier, "MODIFIER"),
        (Self::CreatedTime, "CREATED_TIME"),
        (Self::UpdatedTime, "UPDATED_TIME"),
        (Self::Status, "STATUS"),
        (Self::StatusAssignee, "STATUS_ASSIGNEE"),
        (Self::Category, "CATEGORY"),
        (Self::Subtable, "SUBTABLE"),
        (Self::ReferenceTable, "REFERENCE_TABLE"),
        (Self::Group, "GROUP"),
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The type of this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(field_type, _)| *field_type)
    }

    /// What a cell of this type holds when nothing was ever entered.
    pub fn empty(self) -> Value {
        match self {
            Self::CheckBox | Self::MultiSelect | Self::Category => Value::Strings(Vec::new()),
            Self::UserSelect | Self::OrganizationSelect | Self::GroupSelect | Self::StatusAssignee => {
                Value::Entities(Vec::new())
            }
            Self::File => Value::Files(Vec::new()),
            Self::Subtable => Value::Rows(Vec::new()),
            Self::SingleLineText
            | Self::MultiLineText
            | Self::RichText
            | Self::Link
            | Self::Calc
            | Self::Number => Value::Text(String::new()),
            _ => Value::Null,
        }
    }

    /// Whether records hold a value of this type at all.
    pub fn has_value(self) -> bool {
        !matches!(self, Self::ReferenceTable | Self::Group)
    }

    /// Whether the service itself fills it in: it is in every app and cannot be made by hand.
    pub fn is_built_in(self) -> bool {
        matches!(
            self,
            Self::Id
                | Self::Revision
                | Self::RecordNumber
                | Self::Creator
                | Self::Modifier
                | Self::CreatedTime
                | Self::UpdatedTime
                | Self::Status
                | Self::StatusAssignee
                | Self::Category
        )
    }

    /// Whether its definition lists options.
    pub fn has_options(self) -> bool {
        matches!(self, Self::CheckBox | Self::RadioButton | Self::MultiSelect | Self::DropDown)
    }
}

/// One field of a form, read from its definition on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Field code, the name in records and queries.
    pub code: String,
    /// Name on the form.
    pub label: String,
    /// Its type. A lookup has the type of its key (text, number or link).
    pub field_type: FieldType,
    /// Whether a value must be there.
    pub required: bool,
    /// Whether no two records may have the same value.
    pub unique: bool,
    /// What a new record gets when the request leaves the field out; `Null` for nothing.
    pub default_value: Json,
    /// Whether a new record gets the present day or time.
    pub default_now: bool,
    /// Options in their order on the form.
    pub options: Vec<String>,
    /// Smallest number allowed.
    pub min_value: Option<String>,
    /// Greatest number allowed.
    pub max_value: Option<String>,
    /// Least number of characters.
    pub min_length: Option<u64>,
    /// Greatest number of characters.
    pub max_length: Option<u64>,
    /// How a calculated value is to be read: `NUMBER`, `DATE`, `HOUR_MINUTE`, ….
    pub format: Option<String>,
    /// Whether status, assignee or category are in use.
    pub enabled: bool,
    /// Where values are copied from, if this is a lookup.
    pub lookup: Option<Lookup>,
    /// Which records are shown, if this is a related-records list.
    pub related: Option<RelatedRecords>,
    /// Columns, if this is a subtable.
    pub fields: Vec<Field>,
    /// The definition as `form/fields.json` answers it.
    pub definition: Map<String, Json>,
}

/// A lookup: the key is searched in another app and values of the record found are copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Id of the app that is searched.
    pub app: u64,
    /// Code of its field that holds the key.
    pub key_field: String,
    /// What is copied.
    pub copies: Vec<LookupCopy>,
}

/// One value that a lookup copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupCopy {
    /// Code of the field in the searched app.
    pub from: String,
    /// Code of the field here.
    pub to: String,
}

/// A list of another app's records whose `key_field` equals our `field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedRecords {
    /// Id of the other app.
    pub app: u64,
    /// Code of the field here.
    pub field: String,
    /// Code of the field there.
    pub key_field: String,
    /// A further condition in the query language, possibly empty.
    pub filter: String,
    /// Codes of the columns shown.
    pub shown: Vec<String>,
}

/// A definition that cannot be a field.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The definition is not an object.
    #[error("the definition of field `{0}` is not an object")]
    NotAnObject(String),
    /// The `type` is missing or unknown.
    #[error("field `{code}` has the unknown type `{name}`")]
    UnknownType {
        /// Code of the field.
        code: String,
        /// What stood there.
        name: String,
    },
}

impl Field {
    /// Reads a definition in the form of `form/fields.json`. Members that the type always shows and that are
    /// missing are added with the service's defaults.
    pub fn from_definition(code: &str, definition: &Json) -> Result<Self, FieldError> {
        let Json::Object(mut members) = definition.clone() else {
            return Err(FieldError::NotAnObject(code.to_owned()));
        };
        let name = members.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let field_type = FieldType::from_name(&name)
            .ok_or_else(|| FieldError::UnknownType { code: code.to_owned(), name: name.clone() })?;
        members.insert("code".to_owned(), json!(code));
        let mut fields = Vec::new();
        if let Some(Json::Object(inner)) = members.get_mut("fields") {
            for (inner_code, inner_definition) in inner.iter_mut() {
                let field = Self::from_definition(inner_code, inner_definition)?;
                *inner_definition = Json::Object(field.definition.clone());
                fields.push(field);
            }
        }
        add_missing_members(field_type, code, &mut members);
        let definition = Json::Object(members);
        let text = |key: &str| definition[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let flag = |key: &str| definition[key].as_bool().unwrap_or(false);
        Ok(Self {
            code: code.to_owned(),
            label: text("label").unwrap_or_else(|| code.to_owned()),
            field_type,
            required: flag("required"),
            unique: flag("unique"),
            default_value: definition["defaultValue"].clone(),
            default_now: flag("defaultNowValue"),
            options: options_in_order(&definition["options"]),
            min_value: text("minValue"),
            max_value: text("maxValue"),
            min_length: number(&definition["minLength"]),
            max_length: number(&definition["maxLength"]),
            format: text("format"),
            enabled: definition["enabled"].as_bool().unwrap_or(true),
            lookup: read_lookup(&definition["lookup"]),
            related: read_related(&definition["referenceTable"]),
            fields,
            definition: match definition {
                Json::Object(members) => members,
                _ => Map::new(),
            },
        })
    }

    /// Whether the field is a lookup.
    pub fn is_lookup(&self) -> bool {
        self.lookup.is_some()
    }

    /// The column of this code, if this is a subtable.
    pub fn column(&self, code: &str) -> Option<&Self> {
        self.fields.iter().find(|field| field.code == code)
    }
}

/// What `form/fields.json` shows even when it was never set, by type.
fn add_missing_members(field_type: FieldType, code: &str, members: &mut Map<String, Json>) {
    use FieldType as T;
    let mut add = |key: &str, value: Json| {
        members.entry(key.to_owned()).or_insert(value);
    };
    add("label", json!(code));
    if matches!(field_type, T::Status | T::StatusAssignee | T::Category) {
        return add("enabled", json!(false));
    }
    add("noLabel", json!(false));
    if field_type.is_built_in() || matches!(field_type, T::Subtable | T::ReferenceTable) {
        return;
    }
    if field_type == T::Group {
        return add("openGroup", json!(false));
    }
    add("required", json!(false));
    let unique =
        matches!(field_type, T::SingleLineText | T::Number | T::Link | T::Date | T::DateTime | T::Time);
    if unique && field_type != T::Time {
        add("unique", json!(false));
    }
    match field_type {
        T::CheckBox | T::MultiSelect => add("defaultValue", json!([])),
        T::UserSelect | T::OrganizationSelect | T::GroupSelect => {
            add("defaultValue", json!([]));
            add("entities", json!([]));
        }
        T::File => add("thumbnailSize", json!("150")),
        T::Calc => {
            for (key, value) in [("expression", ""), ("format", "NUMBER"), ("displayScale", ""), ("unit", "")]
            {
                add(key, json!(value));
            }
            add("unitPosition", json!("BEFORE"));
            add("hideExpression", json!(false));
        }
        _ => add("defaultValue", json!("")),
    }
    match field_type {
        T::CheckBox | T::RadioButton => add("align", json!("HORIZONTAL")),
        T::Date | T::Time | T::DateTime => add("defaultNowValue", json!(false)),
        T::SingleLineText | T::Link => {
            add("minLength", json!(""));
            add("maxLength", json!(""));
        }
        T::Number => {
            for (key, value) in [("minValue", ""), ("maxValue", ""), ("displayScale", ""), ("unit", "")] {
                add(key, json!(value));
            }
            add("unitPosition", json!("BEFORE"));
            add("digit", json!(false));
        }
        _ => {}
    }
    match field_type {
        T::SingleLineText => {
            add("expression", json!(""));
            add("hideExpression", json!(false));
        }
        T::Link => add("protocol", json!("WEB")),
        _ => {}
    }
}

/// Numbers come as numbers or as text.
fn number(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn options_in_order(options: &Json) -> Vec<String> {
    let mut ordered: Vec<(u64, &String)> = options
        .as_object()
        .into_iter()
        .flatten()
        .map(|(label, option)| (number(&option["index"]).unwrap_or(u64::MAX), label))
        .collect();
    ordered.sort_by_key(|(index, _)| *index);
    ordered.into_iter().map(|(_, label)| label.clone()).collect()
}

fn text_of(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read_lookup(lookup: &Json) -> Option<Lookup> {
    let mappings = lookup["fieldMappings"].as_array().cloned().unwrap_or_default();
    let copies = mappings
        .iter()
        .map(|mapping| LookupCopy { from: text_of(&mapping["relatedField"]), to: text_of(&mapping["field"]) })
        .collect();
    Some(Lookup {
        app: number(&lookup["relatedApp"]["app"])?,
        key_field: text_of(&lookup["relatedKeyField"]),
        copies,
    })
}

fn read_related(reference: &Json) -> Option<RelatedRecords> {
    let shown = reference["displayFields"].as_array().cloned().unwrap_or_default();
    Some(RelatedRecords {
        app: number(&reference["relatedApp"]["app"])?,
        field: text_of(&reference["condition"]["field"]),
        key_field: text_of(&reference["condition"]["relatedField"]),
        filter: text_of(&reference["filterCond"]),
        shown: shown.iter().map(text_of).collect(),
    })
}

/// The fields of one form, in the order of the form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    list: Vec<Field>,
    /// Field code to position, and to position within the subtable for a column.
    positions: BTreeMap<String, (usize, Option<usize>)>,
}

/// A field found by its code, and the subtable that it is a column of.
#[derive(Debug, Clone, Copy)]
pub struct FoundField<'fields> {
    /// The field.
    pub field: &'fields Field,
    /// The subtable around it, if it is a column.
    pub table: Option<&'fields Field>,
}

impl Fields {
    /// A form of these fields.
    pub fn new(list: Vec<Field>) -> Self {
        let mut positions = BTreeMap::new();
        for (index, field) in list.iter().enumerate() {
            positions.insert(field.code.clone(), (index, None));
            for (column, inner) in field.fields.iter().enumerate() {
                positions.insert(inner.code.clone(), (index, Some(column)));
            }
        }
        Self { list, positions }
    }

    /// Top-level fields in the order of the form; subtables hold their columns.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    /// The field or column of this code. `$id` and `$revision` are no fields of a form and are not found.
    pub fn find(&self, code: &str) -> Option<FoundField<'_>> {
        let (index, column) = *self.positions.get(code)?;
        let outer = &self.list[index];
        Some(match column {
            None => FoundField { field: outer, table: None },
            Some(column) => FoundField { field: &outer.fields[column], table: Some(outer) },
        })
    }

    /// The first field of this type, for the built-in ones that every app has once.
    pub fn of_type(&self, field_type: FieldType) -> Option<&Field> {
        self.list.iter().find(|field| field.field_type == field_type)
    }
}

impl<'fields> IntoIterator for &'fields Fields {
    type Item = &'fields Field;
    type IntoIter = std::slice::Iter<'fields, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_type_stands_at_its_place() {
        for (field_type, name) in FieldType::ALL {
            assert_eq!(field_type.name(), name);
            assert_eq!(FieldType::from_name(name), Some(field_type));
        }
    }

    #[test]
    fn columns_are_found_with_their_table() {
        let table = json!({"type": "SUBTABLE", "fields": {"amount": {"type": "NUMBER", "minValue": "0"}}});
        let fields = Fields::new(vec![Field::from_definition("lines", &table).unwrap()]);
        let found = fields.find("amount").unwrap();
        assert_eq!(found.table.unwrap().code, "lines");
        assert_eq!(found.field.min_value.as_deref(), Some("0"));
        assert_eq!(found.field.max_value, None);
        assert!(fields.find("$id").is_none());
    }

    #[test]
    fn options_keep_the_order_of_the_form() {
        let definition = json!({"type": "DROP_DOWN", "options": {
            "late": {"label": "late", "index": "1"}, "new": {"label": "new", "index": 0}}});
        assert_eq!(Field::from_definition("state", &definition).unwrap().options, ["new", "late"]);
    }

    #[test]
    fn an_unknown_type_is_named() {
        let error = Field::from_definition("x", &json!({"type": "BLINK"})).unwrap_err();
        assert_eq!(error.to_string(), "field `x` has the unknown type `BLINK`");
    }
}
