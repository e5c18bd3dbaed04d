"""The words of the house as frozen, keyword-only records. No effects, nothing imported from above."""
