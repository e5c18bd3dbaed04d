def to_html(draft):
    return "<html></html>"
